import { isAbsolute, join, resolve } from 'node:path';
import type { Location } from '../core/location.js';

/** What paths are relative to. */
export interface Surroundings {
  /** The user's home folder and the working folder; absolute. */
  readonly home: string;
  readonly cwd: string;
}

/** Parses a store's location: a path or `fs:///path`; plakar's default, `~/.plakar`, where none is given. Or says what is wrong. */
export function parseLocation(text: string | undefined, { home, cwd }: Surroundings): Location | { problem: string } {
  if (text === undefined) return { scheme: 'fs', path: join(home, '.plakar') };
  const [, scheme, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(text) ?? [];
  if (text === '' || text.includes('\0')) return { problem: 'the location is empty or has a NUL in it' };
  if (scheme === undefined || rest === undefined) return { scheme: 'fs', path: resolve(cwd, text) };
  if (scheme !== 'fs')
    return { problem: `location ${text}: there is no ${scheme}:// store here, only a path or fs:///path` };
  if (!isAbsolute(rest))
    return { problem: `location ${text}: after fs:// comes an absolute path, as in fs:///var/backups` };
  return { scheme: 'fs', path: resolve(rest) };
}
