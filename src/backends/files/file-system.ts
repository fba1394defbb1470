import { StoreError } from '../../core/errors.js';

/**
 * The file operations that a store in folders needs. The store is written once, on top of this, and each kind of file server is a small
 * adapter. Every promise below is a test in test/conformance/file-system-suite.ts, which runs on every adapter.
 *
 * Paths are relative to the store's root, with `/` between names, and are composed by `layout.ts` only. Every operation fails with a
 * StoreError: `not_found`, `already_exists` and `no_space`; `unavailable` when the file server can't be reached or the medium can't be
 * read (TooManyOpen when there are only too many open files); `internal` for everything else. Messages name no path.
 */
export interface FileSystem {
  /**
   * How many reads of 1 MiB of one file to have in progress at once.
   *
   * @param others how many other files are being read as well
   */
  readAhead(others: number): number;
  /** How many folders to list at once. */
  readonly listConcurrency: number;
  /** How many files may be kept open for reading. */
  readonly maxOpenFiles: number;
  /**
   * How often the file server was connected to anew. It may have crashed in between, and may have lost what it had acknowledged but not
   * synced. A further connection beside one that it still answers on doesn't count. Undefined if a crash would have ended this process as
   * well.
   */
  readonly connectionCount?: number;
  /** Whether `link` takes the name `from` away, as the file server has no hard links. Default: false. */
  readonly linkMoves?: boolean;

  /** Opens a regular file for reading. `not_found` if there is none, also for a folder or a link. */
  open(path: string): Promise<ReadableFile>;

  /** Creates a file that must not exist, for writing. `already_exists`; `not_found` if its folder is missing. */
  create(path: string, mode: number): Promise<WritableFile>;

  /** What `path` names. `not_found`. Doesn't follow links. */
  stat(path: string): Promise<FileStat>;

  /** Whether `path` names anything. Doesn't follow links. */
  exists(path: string): Promise<boolean>;

  /**
   * Gives the file `from` a second name, atomically. Never replaces: `already_exists` if `to` names anything. `not_found` if `from` or
   * the folder of `to` is missing. OtherDisk if that folder is on another disk. `unimplemented` if the file server can't guarantee this.
   */
  link(from: string, to: string): Promise<void>;

  /** Renames a file, atomically replacing the file `to`. `not_found` if `from` or the folder of `to` is missing. */
  rename(from: string, to: string): Promise<void>;

  /** Sets when a file was last written, in milliseconds since 1970-01-01 UTC, as exactly as the file server keeps it. `not_found`. */
  setModified(path: string, ms: number): Promise<void>;

  /** Removes a file's name. `not_found`. */
  remove(path: string): Promise<void>;

  /** Everything in a folder, in no particular order: never a part of it. `not_found`. */
  list(path: string): Promise<DirectoryEntry[]>;

  /**
   * The same, 1000 names at a time at most: for folders that may have very many. It may fail after it has begun, with `unavailable` then
   * where `list` would begin again. Names that come or go meanwhile may be given or not, every other one is given once.
   */
  batches(path: string): AsyncIterable<readonly DirectoryEntry[]>;

  /**
   * Identifies the set of names in a folder: while it is the same, so are the names and their types, even where other programs change them. Undefined if
   * that can't be told: with some file servers always, with others for a moment after a change. Follows links, as `list` does.
   * `not_found`, though not necessarily for something other than a folder.
   */
  folderVersion(path: string): Promise<string | undefined>;

  /** Creates a folder in an existing one. `already_exists`. */
  makeFolder(path: string, mode: number): Promise<void>;

  /** Removes a folder if it is empty. Resolves to whether there is no such folder now. */
  removeFolder(path: string): Promise<boolean>;

  /** Makes the names in a folder durable: those that `link` and `rename` added, and the absence of those that were removed. */
  syncFolder(path: string): Promise<void>;

  /** How many bytes can still be written on a folder's disk; undefined if unknown. Follows links. `not_found`. */
  freeBytes(path: string): Promise<number | undefined>;

  close(): Promise<void>;
}

export interface FileStat {
  readonly type: FileType;
  /** In bytes. */
  readonly size: number;
  /** Last written, in milliseconds since 1970-01-01 UTC. */
  readonly modifiedMs: number;
  /** The permission bits, as in 0o644. */
  readonly mode: number;
  /** Differs between all files that exist at a time, whatever their names; undefined where the file server doesn't tell. */
  readonly id: string | undefined;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly type: FileType;
}

/** `other` is everything that holds no objects: links, sockets, devices. */
export type FileType = 'file' | 'folder' | 'other';

export interface ReadableFile {
  /** In bytes, when it was opened. */
  readonly size: number;
  /** Last written, as of when it was opened: in milliseconds since 1970-01-01 UTC, the same number that `stat` tells. */
  readonly modifiedMs: number;
  /** The same id that `stat` tells. */
  readonly id: string | undefined;

  /**
   * Reads `length` bytes at `offset` into the start of `target`. Resolves to the number of bytes, which is less only at the end of the
   * file. Concurrent reads are allowed.
   */
  read(target: Uint8Array, offset: number, length: number): Promise<number>;

  /** The same without waiting; it may read less. Undefined, with nothing read, where that could take long. */
  readNow?(target: Uint8Array, offset: number, length: number): number | undefined;

  /** Makes the file's bytes durable, including what others wrote. */
  sync(): Promise<void>;

  /** Waits for reads in progress. Never fails. */
  close(): Promise<void>;
}

export interface WritableFile {
  /** Appends all bytes of `chunks`, or fails. One call at a time. */
  write(chunks: readonly Uint8Array[]): Promise<void>;

  /** Makes everything that was written durable. */
  sync(): Promise<void>;

  /** Waits until the file server has everything that was written. Only where writes don't wait for that. */
  flush?(): Promise<void>;

  /** Starts doing that in parallel with further writes, so that `sync` has less left. Lost bytes are reported once, by either of the two. */
  syncAhead?(): Promise<void>;

  /** Fails if the file server has fewer bytes than it acknowledged. */
  close(): Promise<void>;
}

/** The limit of open files is reached, here or at the file server: after closing some, the operation can be tried again. */
export class TooManyOpen extends StoreError {
  constructor(message: string, cause: unknown) {
    super('unavailable', message, { cause });
  }
}

/** Two names are on different disks, so a file can't have both. */
export class OtherDisk extends StoreError {
  constructor(cause: unknown) {
    super('internal', 'a part of the store is on another disk', { cause });
  }
}
