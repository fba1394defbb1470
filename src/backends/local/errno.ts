import { StoreError, type ErrorCode } from '../../core/errors.js';
import { TooManyOpen } from '../files/file-system.js';

interface Row {
  readonly code: ErrorCode;
  readonly message: string;
}

const fullDisk: Row = { code: 'no_space', message: "the store's disk is full: its operator has to make room" };
const noSuch: Row = { code: 'not_found', message: 'no such file or folder' };
const refused: Row = { code: 'internal', message: "the gateway lacks permissions for its store's files" };
const broken: Row = { code: 'unavailable', message: "the store's disk can't be read or written" };

/** What the errno of a file operation means, on Linux and the BSDs. Any other is an internal error. */
const rows: Readonly<Record<string, Row>> = {
  ENOENT: noSuch,
  ENOTDIR: noSuch,
  // With O_NOFOLLOW: the name is a link's.
  ELOOP: noSuch,
  // Opening a socket.
  ENXIO: noSuch,
  EEXIST: { code: 'already_exists', message: 'the name is taken' },
  ENOSPC: fullDisk,
  EDQUOT: fullDisk,
  EFBIG: { code: 'no_space', message: "the object is larger than the store's file system takes" },
  EPERM: refused,
  EACCES: refused,
  EROFS: refused,
  EIO: broken,
  ESTALE: broken,
  ENODEV: broken,
  ETIMEDOUT: broken,
};

const tooMany = ['EMFILE', 'ENFILE'];

/** Turns an error of `node:fs` into a StoreError. The cause names the path, for the log; the message doesn't. */
export function fromErrno(error: unknown): StoreError {
  const errno = errnoOf(error);
  if (tooMany.includes(errno)) return new TooManyOpen('the gateway has too many files open: try again later', error);
  const row = rows[errno];
  return row === undefined ? StoreError.from(error) : new StoreError(row.code, row.message, { cause: error });
}

/** For `catch`: throws the StoreError of an error. */
export function rethrow(error: unknown): never {
  throw fromErrno(error);
}

/** Whether an error of `node:fs` means that there is no such name. */
export function isMissing(error: unknown): boolean {
  return rows[errnoOf(error)] === noSuch;
}

/** Whether an error of `node:fs` is that of a link(2) on a file system without hard links (EPERM on Linux, by its manual). */
export function isUnsupportedLink(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errnoOf(error));
}

function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
