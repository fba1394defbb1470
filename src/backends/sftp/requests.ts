import type { FileEntryWithStats, Stats } from 'ssh2';
import { constants } from 'node:fs';
import { StoreError } from '../../core/errors.js';
import type { DirectoryEntry, FileStat, FileType } from '../files/file-system.js';
import type { Session } from './session.js';
import { hasStatus, status } from './status.js';

/*
 * The requests of SFTP version 3 that a store needs, as promises. All of them fail with the server's status as ssh2 gives it, or with
 * LostConnection.
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

export function writeOnce(session: Session, handle: Handle, data: Buffer, position: number): Promise<void> {
  return session.send((sftp, done) => sftp.write(handle, data, 0, data.length, position, done));
}

/** What a path names. Doesn't follow links. */
export async function lstat(session: Session, path: string): Promise<FileStat> {
  return toFileStat(await session.request<Stats>((sftp, done) => void sftp.lstat(path, done)));
}

export async function fstat(session: Session, handle: Handle): Promise<FileStat> {
  return toFileStat(await session.request<Stats>((sftp, done) => void sftp.fstat(handle, done)));
}

export function setMode(session: Session, path: string, mode: number): Promise<void> {
  return session.send((sftp, done) => sftp.chmod(path, mode, done));
}

export function setHandleMode(session: Session, handle: Handle, mode: number): Promise<void> {
  return session.send((sftp, done) => sftp.fchmod(handle, mode, done));
}

/** fsync@openssh.com. @param limitMs how long the disk may take, in milliseconds */
export function fsync(session: Session, handle: Handle, limitMs: number): Promise<void> {
  return session.send((sftp, done) => sftp.ext_openssh_fsync(handle, done), limitMs);
}

/** hardlink@openssh.com: never replaces. */
export function hardlink(session: Session, from: string, to: string): Promise<void> {
  return session.send((sftp, done) => sftp.ext_openssh_hardlink(from, to, done));
}

/** posix-rename@openssh.com: replaces atomically. */
export function posixRename(session: Session, from: string, to: string): Promise<void> {
  return session.send((sftp, done) => sftp.ext_openssh_rename(from, to, done));
}

/** RENAME: must not replace, by the draft; not every server complies. */
export function plainRename(session: Session, from: string, to: string): Promise<void> {
  return session.send((sftp, done) => sftp.rename(from, to, done));
}

export function removeFile(session: Session, path: string): Promise<void> {
  return session.send((sftp, done) => sftp.unlink(path, done));
}

export function makeFolder(session: Session, path: string, mode: number): Promise<void> {
  return session.send((sftp, done) => sftp.mkdir(path, { mode }, done));
}

/** Whether a path names anything. Doesn't follow links. */
export async function exists(session: Session, path: string): Promise<boolean> {
  try {
    await lstat(session, path);
    return true;
  } catch (error) {
    if (hasStatus(error, status.noSuchFile)) return false;
    throw error;
  }
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
        const type = await entryType(session, path, entry);
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

/** Undefined for a name that has gone since it was listed. */
async function entryType(session: Session, folder: string, entry: FileEntryWithStats): Promise<FileType | undefined> {
  const { mode } = entry.attrs as Partial<Stats>;
  if (mode !== undefined) return typeOf(mode);
  try {
    return (await lstat(session, `${folder}/${entry.filename}`)).type;
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
