import { open } from 'node:fs/promises';
import { checkSettings } from './config.js';
import { isSettingName, type SettingName } from './definition.js';
import { configVariable, readEnvironment } from './environment.js';
import { parseConfigFile } from './file.js';
import { resolvePath, type Surroundings } from './paths.js';
import { Sources, type ReadFile, type TextSettings } from './sources.js';
import type { Config } from './types.js';
import { warnings } from './warnings.js';

/** Options as they are typed, by their names without dashes. */
export type Flags = Readonly<Partial<Record<SettingName, string | string[] | boolean>>>;

/** Where settings come from. */
export interface SettingSources {
  readonly flags: Flags;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The configuration file; undefined: the one that the environment names, if it does. */
  readonly configPath: string | undefined;
  readonly surroundings: Surroundings;
}

/** What came of them. */
export interface Loaded {
  readonly config: Config;
  /** What is allowed and may not be meant, each a sentence. */
  readonly warnings: readonly string[];
  /** The absolute paths of the configuration files that were read. */
  readonly configFiles: readonly string[];
  /** Where each setting was said. */
  readonly sources: Sources;
}

/**
 * Reads the settings of the command line, the environment and the file, and checks them. Every problem is reported at once, each
 * with its place: `file:line:column`, the option or the variable. May be called again to look for changes.
 */
export async function loadConfig(from: SettingSources): Promise<Loaded | { readonly problems: readonly string[] }> {
  const environment = readEnvironment(from.env);
  const problems = [...environment.problems];
  const read = await readFileOf(from);
  if ('problems' in read) problems.push(...read.problems);
  const file = 'file' in read ? read.file : undefined;
  const sources = new Sources(textSettings(from.flags), environment.settings, file, from.surroundings);
  problems.push(...sources.problems);
  // Of a file that can't be read nothing is known, and so nothing of what would be missing in it.
  if ('problems' in read) return { problems };
  const checked = checkSettings(sources.settings, sources);
  if ('problems' in checked) problems.push(...sources.describe(checked.problems));
  if (problems.length > 0 || !('config' in checked)) return { problems };
  return {
    config: checked.config,
    warnings: [...read.warnings, ...warnings(checked.config)],
    configFiles: file === undefined ? [] : [file.path],
    sources,
  };
}

/**
 * Reads a configuration file. Fails as `open` does.
 *
 * @returns its text, and a warning where others than its owner can change who may do what, or can see it
 */
export async function readConfigFile(path: string): Promise<{ readonly text: string; readonly warnings: string[] }> {
  const file = await open(path, 'r');
  try {
    const { mode } = await file.stat();
    const text = await file.readFile('utf8');
    return { text, warnings: modeWarnings(path, mode, text) };
  } finally {
    await file.close();
  }
}

function modeWarnings(path: string, mode: number, text: string): string[] {
  if ((mode & 0o002) !== 0) return [`${path} can be changed by everybody on this machine: \`chmod o-w\` it`];
  // Nobody can make a token of its hash; but whose tokens there are, and what they open, is nobody's business.
  if ((mode & 0o004) !== 0 && text.includes('sha256')) {
    return [`${path} has hashes of tokens, and can be read by everybody on this machine: \`chmod o-r\` it`];
  }
  return [];
}

type FileOf = { readonly problems: string[] } | { readonly file: ReadFile | undefined; readonly warnings: string[] };

async function readFileOf({ configPath, env, surroundings }: SettingSources): Promise<FileOf> {
  const written = configPath ?? (env[configVariable] || undefined);
  if (written === undefined) return { file: undefined, warnings: [] };
  const path = resolvePath(written, surroundings);
  let read;
  try {
    read = await readConfigFile(path);
  } catch (error) {
    return { problems: [`${path}: it can't be read: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const parsed = parseConfigFile(read.text, path);
  return 'problems' in parsed ? parsed : { file: { ...parsed, path }, warnings: read.warnings };
}

function textSettings(flags: Flags): TextSettings {
  const settings = new Map<SettingName, string | string[] | boolean>();
  for (const [name, value] of Object.entries(flags)) {
    if (isSettingName(name)) settings.set(name, value);
  }
  return settings;
}
