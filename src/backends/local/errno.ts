import { constants } from 'node:os';
import { StoreError } from '../../core/errors.js';
import { OtherDisk, TooManyOpen } from '../files/file-system.js';

type Row = Pick<StoreError, 'code' | 'message'>;

const fullDisk: Row = { code: 'no_space', message: "the store's disk is full: its operator has to make room" };
const noSuch: Row = { code: 'not_found', message: 'no such file or folder' };
const refused: Row = { code: 'internal', message: "the gateway lacks permissions for its store's files" };
const broken: Row = { code: 'unavailable', message: "the store's disk can't be read or written" };
const busy: Row = { code: 'unavailable', message: "the store's disk is busy: try again later" };

/** What the errno of a file operation means, on local, network and FUSE file systems. Any other is an internal error. */
const meanings: readonly (readonly [Row, readonly string[]])[] = [
  [noSuch, ['ENOENT', 'ENOTDIR']],
  // With O_NOFOLLOW: the name is a link's.
  [noSuch, ['ELOOP']],
  // Opening a socket.
  [noSuch, ['ENXIO']],
  [{ code: 'already_exists', message: 'the name is taken' }, ['EEXIST']],
  [fullDisk, ['ENOSPC', 'EDQUOT']],
  [{ code: 'no_space', message: "the object is larger than the store's file system takes" }, ['EFBIG']],
  [refused, ['EPERM', 'EACCES', 'EROFS']],
  // Of encrypted folders, and of NFS and SMB with Kerberos.
  [refused, ['ENOKEY', 'EKEYEXPIRED', 'EKEYREVOKED', 'EKEYREJECTED']],
  [broken, ['EIO', 'ENODEV', 'ENOMEDIUM']],
  // A file system that found itself damaged (ext4, XFS, btrfs), or was shut down.
  [broken, ['EUCLEAN', 'EBADMSG', 'EILSEQ', 'ESHUTDOWN']],
  // A file server that is gone, or was restarted, and a FUSE program that has ended.
  [broken, ['ESTALE', 'ENOTCONN', 'ECONNABORTED', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EPROTO', 'EREMOTEIO']],
  [broken, ['EHOSTDOWN', 'EHOSTUNREACH', 'ENETDOWN', 'ENETUNREACH', 'ETIME', 'ETIMEDOUT']],
  [busy, ['EAGAIN', 'EBUSY', 'EINTR', 'ENOLCK', 'ENOMEM', 'ETXTBSY']],
];
const rows = new Map(meanings.flatMap(([row, names]) => names.map((name) => [name, row] as const)));

const tooMany = ['EMFILE', 'ENFILE'];

/** Names of errnos for which Node only has `Unknown system error -122`. Those that it doesn't know at all have Linux's numbers. */
const unnamed: ReadonlyMap<number, string> = new Map([
  [constants.errno.EDQUOT, 'EDQUOT'],
  [constants.errno.ESTALE, 'ESTALE'],
  [constants.errno.EBADMSG, 'EBADMSG'],
  [constants.errno.ETIME, 'ETIME'],
  [constants.errno.ENOLCK, 'ENOLCK'],
  [117, 'EUCLEAN'],
  [123, 'ENOMEDIUM'],
  [126, 'ENOKEY'],
  [127, 'EKEYEXPIRED'],
  [128, 'EKEYREVOKED'],
  [129, 'EKEYREJECTED'],
]);

/** Turns an error of `node:fs` into a StoreError. The cause names the path, for the log; the message doesn't. */
export function fromErrno(error: unknown): StoreError {
  const errno = errnoOf(error);
  if (tooMany.includes(errno)) return new TooManyOpen('the gateway has too many files open: try again later', error);
  if (errno === 'EXDEV') return new OtherDisk(error);
  const row = rows.get(errno);
  return row === undefined ? StoreError.from(error) : new StoreError(row.code, row.message, { cause: error });
}

/** For `catch`: throws the StoreError of an error. */
export function rethrow(error: unknown): never {
  throw fromErrno(error);
}

/** Whether an error of `node:fs` means that there is no such name. */
export function isMissing(error: unknown): boolean {
  return rows.get(errnoOf(error)) === noSuch;
}

/** Whether an error of `node:fs` is that of an rmdir(2) of a folder with something in it. */
export function isNotEmpty(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST'].includes(errnoOf(error));
}

/** Whether an error of `node:fs` is that of a link(2) on a file system without hard links (EPERM on Linux, by its manual). */
export function isUnsupportedLink(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errnoOf(error));
}

function errnoOf(error: unknown): string {
  if (!(error instanceof Error && 'code' in error)) return '';
  return ('errno' in error && unnamed.get(-Number(error.errno))) || String(error.code);
}
