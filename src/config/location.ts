import { isAbsolute, join, resolve } from 'node:path';
import { StoreError } from '../core/errors.js';
import type { Location } from '../core/location.js';
import { parseSftpLocation } from '../core/sftp-location.js';

/** What paths are relative to. */
export interface Surroundings {
  /** The user's home folder and the working folder; absolute. */
  readonly home: string;
  readonly cwd: string;
}

/**
 * Parses a store's location: a path, `fs:///path` or `sftp://[user@]host[:port]/path`; plakar's default, `~/.plakar`, where
 * none is given. Or says what is wrong.
 */
export function parseLocation(text: string | undefined, { home, cwd }: Surroundings): Location | { problem: string } {
  if (text === undefined) return { scheme: 'fs', path: join(home, '.plakar') };
  if (text === '' || text.includes('\0')) return { problem: 'the location is empty or has a NUL in it' };
  const [, scheme, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) return { scheme: 'fs', path: resolve(cwd, text) };
  switch (scheme.toLowerCase()) {
    case 'fs':
      if (isAbsolute(rest)) return { scheme: 'fs', path: resolve(rest) };
      return { problem: `location ${text}: after fs:// comes an absolute path, as in fs:///var/backups` };
    case 'sftp':
      return parseSftp(text);
    default:
      return { problem: `location ${text}: it has to be a path, fs:///path or sftp://[user@]host[:port]/path` };
  }
}

/** The text isn't repeated in the problem: it may have a password in it. */
function parseSftp(text: string): Location | { problem: string } {
  try {
    return { scheme: 'sftp', ...parseSftpLocation(text) };
  } catch (error) {
    return { problem: StoreError.from(error).message };
  }
}
