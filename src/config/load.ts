import { checkSettings } from './config.js';
import { configVariable, readEnvironment } from './environment.js';
import { parseConfigFile } from './file.js';
import { resolvePath, type Surroundings } from '../lib/paths.js';
import { readProblem, readTextFile } from '../lib/read-text.js';
import { Sources, type ReadFile, type TextSettings } from './sources.js';
import type { Config } from './types.js';
import { warnings } from './warnings.js';

/** Where settings come from. */
export interface SettingSources {
  /** Options as typed, by their names without dashes. */
  readonly flags: TextSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The configuration file; undefined: the one that the environment names, if any. */
  readonly configPath: string | undefined;
  readonly surroundings: Surroundings;
}

/** A configuration, and where it comes from. */
export interface Loaded {
  readonly config: Config;
  /** What is allowed but may be unintended, each a sentence. */
  readonly warnings: readonly string[];
  /** The absolute paths of the configuration files. */
  readonly configFiles: readonly string[];
  /** Where each setting was given. */
  readonly sources: Sources;
}

/**
 * Reads the settings of the command line, the environment and the file, and checks them. All problems are reported at once, each
 * with its origin: `file:line:column`, the option or the variable. Can be called again to read changes.
 */
export async function loadConfig(from: SettingSources): Promise<Loaded | { readonly problems: readonly string[] }> {
  const environment = readEnvironment(from.env);
  const problems = [...environment.problems];
  const read = await readFileOf(from);
  if ('problems' in read) problems.push(...read.problems);
  const file = 'file' in read ? read.file : undefined;
  const sources = new Sources(from.flags, environment.settings, file, from.surroundings);
  // If the file can't be read, it isn't known what is missing.
  if ('problems' in read) return { problems };
  const checked = checkSettings(sources.settings, sources);
  if ('problems' in checked) problems.push(...sources.describe(checked.problems));
  if (problems.length > 0 || !('config' in checked)) return { problems };
  return {
    config: { ...checked.config, configFile: file?.path },
    warnings: [...read.warnings, ...warnings(checked.config)],
    configFiles: file === undefined ? [] : [file.path],
    sources,
  };
}

/**
 * Reads a configuration file. Fails as `open` does.
 *
 * @returns its text, and a warning if every user can change it, or can read its secrets or who has access
 */
export async function readConfigFile(path: string): Promise<{ readonly text: string; readonly warnings: string[] }> {
  const { text, mode } = await readTextFile(path);
  return { text, warnings: modeWarnings(path, mode, text) };
}

function modeWarnings(path: string, mode: number, text: string): string[] {
  if ((mode & 0o002) !== 0) return [`${path} can be changed by every user of this machine: run \`chmod o-w\` on it`];
  if ((mode & 0o004) !== 0 && hasSecrets(text)) {
    return [`${path} contains secrets and can be read by every user of this machine: run \`chmod o-r\` on it`];
  }
  // A token can't be derived from its hash, but the file also tells who has access to what.
  if ((mode & 0o004) !== 0 && /sha256:[0-9a-f]/i.test(text)) {
    return [`${path} contains hashes of tokens and can be read by every user of this machine: run \`chmod o-r\` on it`];
  }
  return [];
}

/** Whether a configuration file seems to have secrets themselves: those of `notify`, or URLs that are as good as one. */
function hasSecrets(text: string): boolean {
  return /^[^#\n]*\b(secret|password|webhook|ping)["']?:/m.test(text);
}

/** The absolute path of the configuration file that an option or the environment names, if any. */
export function configPathOf({
  configPath,
  env,
  surroundings,
}: Pick<SettingSources, 'configPath' | 'env' | 'surroundings'>): string | undefined {
  const written = configPath ?? (env[configVariable] || undefined);
  return written === undefined ? undefined : resolvePath(written, surroundings);
}

type FileOf = { readonly problems: string[] } | { readonly file: ReadFile | undefined; readonly warnings: string[] };

async function readFileOf(from: SettingSources): Promise<FileOf> {
  const path = configPathOf(from);
  if (path === undefined) return { file: undefined, warnings: [] };
  let read;
  try {
    read = await readConfigFile(path);
  } catch (error) {
    return { problems: [`the configuration file ${path} can't be read: ${readProblem(error)}`] };
  }
  const parsed = parseConfigFile(read.text, path);
  return 'problems' in parsed ? parsed : { file: { ...parsed, path }, warnings: read.warnings };
}
