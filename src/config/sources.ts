import { dirname } from 'node:path';
import { isSettingName, settings as definitions, type OldName, type SettingName, type Settings } from './definition.js';
import type { Origin, Origins } from './checks/context.js';
import { variableOf } from './environment.js';
import { formatPosition, type ConfigFile } from './file.js';
import { currentName } from './old-names.js';
import type { Surroundings } from '../lib/paths.js';
import { formatPath, type Problem } from './problems.js';

/** The values of options and variables: text, lists of it, and switches. */
export type TextSettings = Partial<Record<SettingName | OldName, string | string[] | boolean>>;

/** A configuration file, with its path. */
export interface ReadFile extends ConfigFile {
  /** Absolute. */
  readonly path: string;
}

/** Merges the settings of several origins. Flags override variables, variables override the file. */
export class Sources implements Origins {
  /** By names as they were written. */
  private readonly merged = new Map<string, { readonly value: unknown; readonly origin: Origin }>();

  constructor(
    flags: TextSettings,
    variables: TextSettings,
    private readonly file: ReadFile | undefined,
    private readonly surroundings: Surroundings,
  ) {
    const origins = { file: file?.settings ?? {}, variable: variables, flag: flags };
    for (const [origin, settings] of Object.entries(origins) as [Origin, object][]) {
      for (const name of Object.keys(settings)) this.merged.delete(this.writtenName(name));
      for (const [name, value] of Object.entries(settings)) this.merged.set(name, { value, origin });
    }
  }

  /** All settings, in the form of the file. Nothing is checked. */
  get settings(): Settings {
    return Object.fromEntries([...this.merged].map(([name, { value }]) => [name, value]));
  }

  originOf(name: string): Origin | undefined {
    return this.merged.get(this.writtenName(name))?.origin;
  }

  /** Paths in the file are relative to its folder, others to the working folder. */
  surroundingsOf(name: SettingName): Surroundings {
    if (this.file === undefined || this.originOf(name) !== 'file') return this.surroundings;
    return { ...this.surroundings, cwd: dirname(this.file.path) };
  }

  /** Problems as text for the operator, each with its origin; those in the file come last, in its order. */
  describe(problems: readonly Problem[]): string[] {
    const elsewhere: string[] = [];
    const inFile: { readonly line: number; readonly column: number; readonly text: string }[] = [];
    for (const problem of problems) {
      const [name] = problem.path;
      if (this.file === undefined || this.originOf(String(name)) !== 'file') {
        elsewhere.push(`${this.subject(problem)}: ${problem.message}`);
        continue;
      }
      const position = this.file.positionOf(problem);
      const text = `${formatPosition(this.file.path, position)}: ${formatPath(problem.path)}: ${problem.message}`;
      inFile.push({ ...position, text });
    }
    inFile.sort((a, b) => a.line - b.line || a.column - b.column);
    return [...elsewhere, ...inFile.map(({ text }) => text)];
  }

  /** The option or variable with a problem, as the operator wrote it. */
  private subject({ path }: Problem): string {
    const [name, index] = path;
    const setting = typeof name === 'string' ? currentName(name) : '';
    if (typeof name !== 'string' || !isSettingName(setting)) return formatPath(path);
    const { origin, value: given } = this.merged.get(name) ?? {};
    if (origin === undefined) return name;
    const { off, mayBeSecret } = definitions[setting].form ?? {};
    if (off !== undefined && origin === 'flag' && given === false) return `--no-${name}`;
    const item: unknown = Array.isArray(given) ? given[Number(index ?? 0)] : given;
    const isShown = mayBeSecret !== true && typeof item === 'string';
    return isShown ? `${label(name, origin)}${origin === 'flag' ? ' ' : '='}${printable(item)}` : label(name, origin);
  }

  /** The name that a setting was written with: its own, or another one of the same setting. */
  private writtenName(name: string): string {
    if (this.merged.has(name)) return name;
    return [...this.merged.keys()].find((each) => currentName(each) === currentName(name)) ?? name;
  }
}

function label(name: string, origin: Origin): string {
  if (origin === 'variable') return variableOf(name);
  if (origin === 'flag') return name === 'location' ? 'LOCATION' : `--${name}`;
  return name;
}

/** Quotes text that contains more than visible ASCII. */
function printable(text: string): string {
  return /^[\x21-\x7e]+$/.test(text) ? text : JSON.stringify(text);
}
