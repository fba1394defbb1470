import { join, resolve } from 'node:path';

/** The folders that paths are relative to, absolute. */
export interface Surroundings {
  /** The user's home folder. */
  readonly home: string;
  /** The working folder. */
  readonly cwd: string;
  /** Where plakar's store is by default, as its variable PLAKAR_REPOSITORY has it. */
  readonly repository?: string | undefined;
}

/** Makes a path absolute: `~` and `~/…` are in the home folder, all others relative to the working folder. */
export function resolvePath(text: string, { home, cwd }: Surroundings): string {
  return text === '~' || text.startsWith('~/') ? join(home, text.slice(1)) : resolve(cwd, text);
}
