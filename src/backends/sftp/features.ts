import type { SFTPWrapper } from 'ssh2';

/** What a server said about itself when the SFTP channel was opened. */
export interface Features {
  readonly hardlink: boolean;
  readonly posixRename: boolean;
  readonly fsync: boolean;
  readonly statvfs: boolean;
  /** The most bytes that one READ may ask for, and one WRITE may carry. */
  readonly maxReadBytes: number;
  readonly maxWriteBytes: number;
  /** How many files may be open at once in one channel; undefined where the server didn't say. */
  readonly maxOpenFiles: number | undefined;
}

/** What every server takes: the draft asks for packets of 34000 bytes. */
const safeBytes = 32 * 1024;

/**
 * What ssh2 knows about a server and its API has no way to ask for. All of it may be missing in another version, and is then
 * taken for not offered: the extended requests themselves would throw.
 */
interface Internals {
  readonly _extensions?: Readonly<Record<string, string>>;
  readonly _maxReadLen?: number;
  readonly _maxWriteLen?: number;
  readonly maxOpenHandles?: number;
}

export function featuresOf(sftp: SFTPWrapper): Features {
  const { _extensions = {}, _maxReadLen, _maxWriteLen, maxOpenHandles } = sftp as unknown as Internals;
  return {
    hardlink: _extensions['hardlink@openssh.com'] === '1',
    posixRename: _extensions['posix-rename@openssh.com'] === '1',
    fsync: _extensions['fsync@openssh.com'] === '1',
    statvfs: _extensions['statvfs@openssh.com'] === '2',
    // What ssh2 assumes where limits@openssh.com is not offered may be too much; smaller is always right.
    maxReadBytes: transferBytes(_extensions, _maxReadLen),
    maxWriteBytes: transferBytes(_extensions, _maxWriteLen),
    maxOpenFiles: Number.isFinite(maxOpenHandles) ? maxOpenHandles : undefined,
  };
}

function transferBytes(extensions: Readonly<Record<string, string>>, limit: number | undefined): number {
  return extensions['limits@openssh.com'] === '1' && limit !== undefined ? limit : safeBytes;
}
