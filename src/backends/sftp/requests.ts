import type { FileEntryWithStats, Stats } from 'ssh2';
import { constants } from 'node:fs';
import { posix } from 'node:path';
import { StoreError } from '../../core/errors.js';
import { folderMode } from '../files/creation.js';
import type { DirectoryEntry, FileStat, FileType } from '../files/file-system.js';
import type { Session } from './session.js';
import { hasStatus, status } from './status.js';

/*
 * Requests of SFTP version 3, as promises. All of them fail with the server's status as ssh2 gives it, or with LostConnection.
 */

/** Flags of OPEN (draft-ietf-secsh-filexfer-02, section 6.3). */
export const openFlags = { read: 0x01, write: 0x02, create: 0x08, exclusive: 0x20 } as const;

/** The server's name for an open file. It is valid in the session that opened it. */
export type Handle = Buffer;

/** @param mode permissions of a file that is created, which the server's umask may reduce */
export function openFile(session: Session, path: string, flags: number, mode?: number): Promise<Handle> {
  return session.request((sftp, done) => {
    if (mode === undefined) sftp.open(path, flags, done);
    else sftp.open(path, flags, mode, done);
  });
}

export function closeFile(session: Session, handle: Handle): Promise<void> {
  return session.send((sftp, done) => sftp.close(handle, done));
}

/** Closes a handle that nothing was written through, so that a failure loses nothing: doesn't wait for the answer. */
export function closeInBackground(session: Session, handle: Handle): void {
  closeFile(session, handle).catch(() => undefined);
}

/** One READ: resolves to the number of bytes, which may be less than asked for; 0 at the file's end. */
export function readOnce(session: Session, handle: Handle, target: Buffer, position: number): Promise<number> {
  return session.request((sftp, done) => void sftp.read(handle, target, 0, target.length, position, done));
}

/** What a path names. Doesn't follow links. */
export async function lstat(session: Session, path: string): Promise<FileStat> {
  return toFileStat(await session.request<Stats>((sftp, done) => void sftp.lstat(path, done)));
}

export async function fstat(session: Session, handle: Handle): Promise<FileStat> {
  return toFileStat(await session.request<Stats>((sftp, done) => void sftp.fstat(handle, done)));
}

/** fsync@openssh.com. `unimplemented` if the server doesn't offer it. @param limitMs how long the disk may take, in milliseconds */
export async function fsync(session: Session, handle: Handle, limitMs: number): Promise<void> {
  if (!session.features.fsync) {
    throw new StoreError('unimplemented', "the store's SFTP server can't sync files to its disk");
  }
  await session.send((sftp, done) => sftp.ext_openssh_fsync(handle, done), limitMs);
}

/** SFTP has no request for it, but OpenSSH opens a folder like a file, and syncs what is open. */
export async function syncFolder(session: Session, path: string, limitMs: number): Promise<void> {
  const handle = await openFile(session, path, openFlags.read);
  try {
    await fsync(session, handle, limitMs);
  } finally {
    closeInBackground(session, handle);
  }
}

/** Makes a folder, and those above it, unless they are there. */
export async function makeFolderAt(session: Session, path: string): Promise<void> {
  if (await exists(session, path)) return;
  const parent = posix.dirname(path);
  if (parent !== path) await makeFolderAt(session, parent);
  try {
    await session.send((sftp, done) => sftp.mkdir(path, { mode: folderMode }, done));
  } catch (error) {
    if (!(await exists(session, path))) throw error;
  }
}

/** hardlink@openssh.com: never replaces. */
export function hardlink(session: Session, from: string, to: string): Promise<void> {
  return session.send((sftp, done) => sftp.ext_openssh_hardlink(from, to, done));
}

/** RENAME: must not replace, by the draft; not every server complies. */
export function plainRename(session: Session, from: string, to: string): Promise<void> {
  return session.send((sftp, done) => sftp.rename(from, to, done));
}

export function removeFile(session: Session, path: string): Promise<void> {
  return session.send((sftp, done) => sftp.unlink(path, done));
}

/** Whether a path names anything. Doesn't follow links. */
export async function exists(session: Session, path: string): Promise<boolean> {
  return (await typeAt(session, path)) !== undefined;
}

/** Everything in a folder except `.` and `..`. */
export async function listFolder(session: Session, path: string): Promise<DirectoryEntry[]> {
  const handle = await session.request<Handle>((sftp, done) => void sftp.opendir(path, done));
  const entries: DirectoryEntry[] = [];
  try {
    // One request at a time: the protocol doesn't say that servers keep several in order, and a missed name is a lost object.
    for (;;) {
      const names = await session.request<FileEntryWithStats[]>((sftp, done) => void sftp.readdir(handle, done));
      for (const entry of names) {
        const { mode } = entry.attrs as Partial<Stats>;
        const type = mode === undefined ? await typeAt(session, `${path}/${entry.filename}`) : typeOf(mode);
        // Undefined for a name that has gone since it was listed.
        if (type !== undefined) entries.push({ name: entry.filename, type });
      }
    }
  } catch (error) {
    if (!hasStatus(error, status.eof)) throw error;
    return entries;
  } finally {
    closeInBackground(session, handle);
  }
}

/** Undefined where nothing has the name. Doesn't follow links. */
async function typeAt(session: Session, path: string): Promise<FileType | undefined> {
  try {
    return (await lstat(session, path)).type;
  } catch (error) {
    if (hasStatus(error, status.noSuchFile)) return undefined;
    throw error;
  }
}

function toFileStat(stats: Partial<Stats>): FileStat {
  const { mode, size, mtime } = stats;
  if (mode === undefined || size === undefined) {
    throw new StoreError('internal', "the store's SFTP server doesn't say what its files are");
  }
  return { type: typeOf(mode), size, modifiedMs: (mtime ?? 0) * 1000, mode: mode & 0o7777, id: undefined };
}

function typeOf(mode: number): FileType {
  const type = mode & constants.S_IFMT;
  if (type === constants.S_IFREG) return 'file';
  return type === constants.S_IFDIR ? 'folder' : 'other';
}
