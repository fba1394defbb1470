/**
 * The few file operations that a store in folders needs, so that the store is written once and each kind of file server is a
 * small adapter. The promises below are tests in test/conformance/file-system-suite.ts, run on every adapter.
 *
 * Paths are relative to the store's root, with `/` between names, and come from `layout.ts` alone. Every operation fails with
 * a StoreError: `not_found`, `already_exists` and `no_space` mean what they say, `unavailable` is a file server that can't be
 * reached or a medium that can't be read (TooManyOpen where that is all), everything else is `internal`. Their messages name no path.
 */
export interface FileSystem {
  /** How many reads of 1 MiB of one file are worth having under way at once, where so many other files are read as well. */
  readAhead(others: number): number;
  /** How many folders are worth listing at once. */
  readonly listAhead: number;
  /**
   * How many connections to the file server there were so far: what is asked for through a new one may be asked of a server that went down
   * meanwhile, and forgot what it had not synced. Undefined where this process would have gone down as well.
   */
  readonly connects?: number;
  /** How many files may be kept open for reading. */
  readonly openFiles: number;

  /** Opens a regular file for reading. `not_found` where there is none, also where the name is a folder's or a link's. */
  open(path: string): Promise<ReadableFile>;

  /** Creates a file that must not exist, for writing. `already_exists`; `not_found` where its folder is missing. */
  create(path: string, mode: number): Promise<WritableFile>;

  /** What `path` names. `not_found`. Links are not followed. */
  stat(path: string): Promise<FileStat>;

  /** Whether `path` names anything. Links are not followed. */
  isThere(path: string): Promise<boolean>;

  /**
   * Gives the file `from` a second name, atomically. `already_exists` where `to` is taken, by anything: this never replaces.
   * `not_found` where `from` or `to`'s folder is missing. `unimplemented` where the file server has no way to promise that.
   */
  link(from: string, to: string): Promise<void>;

  /** Renames a file, atomically replacing the file `to`. `not_found` where `from` or `to`'s folder is missing. */
  rename(from: string, to: string): Promise<void>;

  /** Removes a file's name. `not_found` where there is none. */
  remove(path: string): Promise<void>;

  /** What is in a folder, in no order. `not_found` where it is missing. Never a part of it. */
  list(path: string): Promise<DirectoryEntry[]>;

  /**
   * Stands for the names that are in a folder: as long as it is the same, the names are, and their types, whoever may change
   * them. undefined where that can't be told: with some file servers always, with others for a moment after a change. Links
   * are followed, as by `list`. `not_found`; not necessarily where `path` is something else than a folder.
   */
  folderVersion(path: string): Promise<string | undefined>;

  /** Makes a folder; its parent must be there. `already_exists`. */
  makeFolder(path: string, mode: number): Promise<void>;

  /** Makes the names in a folder durable: those added by `link` and `rename`, and the absence of those removed. */
  syncFolder(path: string): Promise<void>;

  /** How many bytes whoever writes here still finds room for, on the disk that the root is on; undefined where nobody can tell. */
  freeBytes(): Promise<number | undefined>;

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
  /** Last written, when it was opened: in milliseconds since 1970-01-01 UTC, and the same number that `stat` tells. */
  readonly modifiedMs: number;

  /**
   * Reads `length` bytes at `offset` into the start of `target`. Short only at the file's end: resolves to how many it read.
   * Reads at several offsets may be under way at once.
   */
  read(target: Uint8Array, offset: number, length: number): Promise<number>;

  /**
   * The same at once, for a small read that doesn't have to be waited for; undefined where it does, or where it may be short.
   * What goes wrong may be thrown as it is: whoever asks tries again with `read`.
   */
  readNow?(target: Uint8Array, offset: number, length: number): number | undefined;

  /** Makes the file's bytes durable, whoever wrote them. */
  sync(): Promise<void>;

  /** Waits for what is under way. Never fails. */
  close(): Promise<void>;
}

export interface WritableFile {
  /** Appends all bytes of `chunks`, or fails. One at a time. */
  write(chunks: readonly Uint8Array[]): Promise<void>;

  /** Makes all that was written durable. */
  sync(): Promise<void>;

  /** Begins with that, while more is written: where this is there, `sync` has less left. Both fail where bytes were lost, but one only. */
  syncAhead?(): Promise<void>;

  /** Fails, too, where the file server doesn't have as many bytes as it said yes to. */
  close(): Promise<void>;
}
