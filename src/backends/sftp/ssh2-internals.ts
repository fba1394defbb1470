import type { SFTPWrapper } from 'ssh2';

/** What a server announced when the SFTP channel was opened. */
export interface Features {
  readonly hardlink: boolean;
  readonly posixRename: boolean;
  readonly fsync: boolean;
  readonly statvfs: boolean;
  /** The most bytes that one READ may ask for, and one WRITE may carry. */
  readonly maxReadBytes: number;
  readonly maxWriteBytes: number;
  /** How many files may be open at once in one channel; undefined if the server didn't say. */
  readonly maxOpenFiles: number | undefined;
}

/** What every server accepts: the draft requires packets of 34000 bytes. */
const safeBytes = 32 * 1024;

/**
 * Fields of ssh2's that its API doesn't offer, and the only ones that the gateway reads: a client has no other way to learn which
 * extensions and limits a server announced (https://github.com/mscdex/ssh2-streams/issues/159). A missing field means "not announced",
 * which is safe but slow, or makes a store read-only; test/backends/sftp/ssh2-internals.test.ts notices it.
 */
interface Internals {
  readonly _extensions?: Readonly<Record<string, string>>;
  readonly _maxReadLen?: number;
  readonly _maxWriteLen?: number;
  readonly maxOpenHandles?: number;
}

export function featuresOf(sftp: SFTPWrapper & Internals): Features {
  const { _extensions: extensions = {}, _maxReadLen, _maxWriteLen, maxOpenHandles } = sftp;
  // Without limits@openssh.com, what ssh2 assumes may be too much for the server.
  const hasLimits = extensions['limits@openssh.com'] === '1';
  return {
    hardlink: extensions['hardlink@openssh.com'] === '1',
    posixRename: extensions['posix-rename@openssh.com'] === '1',
    fsync: extensions['fsync@openssh.com'] === '1',
    statvfs: extensions['statvfs@openssh.com'] === '2',
    maxReadBytes: (hasLimits && _maxReadLen) || safeBytes,
    maxWriteBytes: (hasLimits && _maxWriteLen) || safeBytes,
    maxOpenFiles: Number.isFinite(maxOpenHandles) ? maxOpenHandles : undefined,
  };
}
