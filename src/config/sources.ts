import { parse } from 'yaml';
import { isSettingName, settings as definitions, type SettingName, type Settings } from './definition.js';
import type { Origin, Origins } from './checks/context.js';
import { variableOf } from './environment.js';
import { formatPlace, type ConfigFile } from './file.js';
import { dirname } from 'node:path';
import type { Surroundings } from './paths.js';
import { formatPath, type Problem } from './problems.js';

/** What an option or a variable says: text, lists of it, and switches. */
export type TextSettings = ReadonlyMap<SettingName, string | string[] | boolean>;

/** A configuration file that was read. */
export interface ReadFile extends ConfigFile {
  /** Absolute. */
  readonly path: string;
}

/** Settings of several places in one: flags before the environment, the environment before the file. */
export class Sources implements Origins {
  private readonly merged = new Map<string, { readonly value: unknown; readonly origin: Origin }>();
  /** Text that isn't what it has to be. */
  readonly problems: string[] = [];

  constructor(
    flags: TextSettings,
    variables: TextSettings,
    private readonly file: ReadFile | undefined,
    private readonly surroundings: Surroundings,
  ) {
    for (const [name, value] of Object.entries(file?.settings ?? {})) this.merged.set(name, { value, origin: 'file' });
    for (const [name, value] of variables) this.addText(name, value, 'variable');
    for (const [name, value] of flags) this.addText(name, value, 'flag');
  }

  /** All of them, as the file would have them. Nothing is checked. */
  get settings(): Settings {
    return Object.fromEntries([...this.merged].map(([name, { value }]) => [name, value]));
  }

  originOf(name: string): Origin | undefined {
    return this.merged.get(name)?.origin;
  }

  /** Paths in the file are relative to its folder, all others to the working folder. */
  surroundingsOf(name: SettingName): Surroundings {
    if (this.file === undefined || this.originOf(name) !== 'file') return this.surroundings;
    return { ...this.surroundings, cwd: dirname(this.file.path) };
  }

  /** Problems as the operator reads them: each with its place, those of the file last and in its order. */
  describe(problems: readonly Problem[]): string[] {
    const elsewhere: string[] = [];
    const inFile: { readonly line: number; readonly column: number; readonly text: string }[] = [];
    for (const problem of problems) {
      const [name] = problem.path;
      if (this.file === undefined || this.originOf(String(name)) !== 'file') {
        elsewhere.push(`${this.subject(problem)}: ${problem.message}`);
        continue;
      }
      const place = this.file.placeOf(problem);
      const text = `${formatPlace(this.file.path, place)}: ${formatPath(problem.path)}: ${problem.message}`;
      inFile.push({ ...place, text });
    }
    inFile.sort((a, b) => a.line - b.line || a.column - b.column);
    return [...elsewhere, ...inFile.map(({ text }) => text)];
  }

  private addText(name: SettingName, value: string | string[] | boolean, origin: Origin): void {
    if (definitions[name].form !== 'yaml') {
      this.merged.set(name, { value, origin });
      return;
    }
    try {
      this.merged.set(name, { value: parse(String(value)) as unknown, origin });
    } catch (error) {
      const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
      this.problems.push(`${label(name, origin)}: it isn't YAML: ${reason}`);
    }
  }

  /** What a problem outside of the file is about, as the operator wrote it. */
  private subject({ path }: Problem): string {
    const [name, ...rest] = path;
    if (typeof name !== 'string' || !isSettingName(name)) return formatPath(path);
    const origin = this.originOf(name);
    const { value, form } = definitions[name];
    const below = form === 'yaml' && rest.length > 0 ? ` ${formatPath(rest)}` : '';
    if (origin === undefined || form === 'yaml') return label(name, origin) + below;
    const said = this.merged.get(name)?.value;
    const item: unknown = Array.isArray(said) ? said[Number(rest[0] ?? 0)] : said;
    // A location's text may have a password in it, which is what is wrong then.
    const shown = value !== undefined && name !== 'location' && typeof item === 'string';
    return shown ? `${label(name, origin)}${origin === 'flag' ? ' ' : '='}${printable(item)}` : label(name, origin);
  }
}

function label(name: SettingName, origin: Origin | undefined): string {
  if (origin === 'variable') return variableOf(name);
  if (origin === 'flag') return name === 'location' ? 'LOCATION' : `--${name}`;
  return name;
}

/** Text of the operator's, as a terminal takes it. */
function printable(text: string): string {
  return /^[\x21-\x7e]+$/.test(text) ? text : JSON.stringify(text);
}
