import { StoreError } from '../../core/errors.js';
import type { Session } from './session.js';
import { hasStatus, LostConnection, noSpace, status } from './status.js';

/** With less than this free, in bytes, a write that is refused was refused for want of room. */
const littleBytes = 4 * 1024 * 1024;

/** The part of statvfs(3) that counts: blocks of that size, how many are free, and files that may still be made out of how many. */
interface FileSystemSpace {
  readonly f_frsize: number;
  readonly f_blocks: number;
  readonly f_bavail: number;
  readonly f_files: number;
  readonly f_favail: number;
}

/**
 * Finds out whether the server refused something because its disk is full: SFTP's version 3 has no status for it, and OpenSSH
 * says `Failure` to whatever has none. All other errors are given back as they are. Never fails.
 *
 * @param root the store's folder on the server
 * @param options `writing`: what was refused is data for an open file, which leaves little else than a full disk or a quota
 */
export async function explainRefusal(
  session: Session,
  root: string,
  error: unknown,
  { writing = false } = {},
): Promise<unknown> {
  if (!hasStatus(error, status.failure)) return error;
  if (session.features.statvfs) {
    try {
      if (isFull(await statvfs(session, root))) return noSpace(error);
    } catch {
      // Then nothing more can be known.
    }
  }
  if (!writing) return error;
  return new StoreError(
    'no_space',
    "the store's server refused to write: its disk is full, its quota used up, or the disk broken",
    { cause: error },
  );
}

/**
 * How many bytes are free where the root is; undefined where the server doesn't say. Fails with LostConnection.
 *
 * @param root the store's folder on the server
 */
export async function freeBytes(session: Session, root: string): Promise<number | undefined> {
  if (!session.features.statvfs) return undefined;
  try {
    const { f_blocks, f_bavail, f_frsize } = await statvfs(session, root);
    return f_blocks === 0 ? undefined : f_bavail * f_frsize;
  } catch (error) {
    if (error instanceof LostConnection) throw error;
    return undefined;
  }
}

function statvfs(session: Session, root: string): Promise<FileSystemSpace> {
  return session.request((sftp, done) => {
    sftp.ext_openssh_statvfs(root, done);
  });
}

function isFull({ f_frsize, f_bavail, f_files, f_favail }: FileSystemSpace): boolean {
  // Some file systems have no fixed number of files, and say 0 of 0.
  return f_bavail * f_frsize < littleBytes || (f_files > 0 && f_favail === 0);
}
