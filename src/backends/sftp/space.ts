import { StoreError } from '../../core/errors.js';
import type { Session } from './session.js';
import { hasStatus, LostConnection, noSpace, status } from './status.js';

/** With fewer free bytes than this, a refused write is put down to the full disk. */
const littleBytes = 4 * 1024 * 1024;

/** The fields of statvfs(3) that matter: block size, number of blocks, free blocks, number of files, free files. */
interface FileSystemSpace {
  readonly f_frsize: number;
  readonly f_blocks: number;
  readonly f_bavail: number;
  readonly f_files: number;
  readonly f_favail: number;
}

/**
 * Finds out whether the server refused a request because its disk is full: SFTP version 3 has no status for that, and OpenSSH answers
 * `Failure`. Returns all other errors unchanged. Never fails.
 *
 * @param root the store's folder on the server
 * @param options `writing`: the request was a WRITE, which is hardly refused for anything but a full disk or a quota
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
      // Then the reason stays unknown.
    }
  }
  if (!writing) return error;
  return new StoreError(
    'no_space',
    "the store's server refused to write: its disk is full, its quota used up, or the disk broken",
    { cause: error },
  );
}

/** How many bytes are free on a folder's disk; undefined if the server doesn't say. Fails with LostConnection. */
export async function freeBytes(session: Session, folder: string): Promise<number | undefined> {
  if (!session.features.statvfs) return undefined;
  try {
    const { f_blocks, f_bavail, f_frsize } = await statvfs(session, folder);
    return f_blocks === 0 ? undefined : f_bavail * f_frsize;
  } catch (error) {
    if (error instanceof LostConnection) throw error;
    return undefined;
  }
}

function statvfs(session: Session, folder: string): Promise<FileSystemSpace> {
  return session.request((sftp, done) => {
    sftp.ext_openssh_statvfs(folder, done);
  });
}

function isFull({ f_frsize, f_bavail, f_files, f_favail }: FileSystemSpace): boolean {
  // File systems without a fixed number of files report 0 of 0.
  return f_bavail * f_frsize < littleBytes || (f_files > 0 && f_favail === 0);
}
