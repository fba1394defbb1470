import { join, resolve } from 'node:path';

/** What paths are relative to. */
export interface Surroundings {
  /** The user's home folder and the working folder; absolute. */
  readonly home: string;
  readonly cwd: string;
}

/** A path as the operator writes it, made absolute: `~` and `~/…` are the home folder's, the rest is the working folder's. */
export function resolvePath(text: string, { home, cwd }: Surroundings): string {
  return text === '~' || text.startsWith('~/') ? join(home, text.slice(1)) : resolve(cwd, text);
}
