import { TooManyOpen, type FileStat, type FileSystem, type ReadableFile } from './file-system.js';

/** A file that is open, or being opened. */
interface Entry {
  readonly file: Promise<ReadableFile>;
  users: number;
  /** When it was last checked that the name is still this file's. */
  checkedMs: number;
  /** Whether it was removed from the cache, and is closed with its last user. */
  dropped: boolean;
}

/** For how long a check is trusted, in milliseconds. */
const freshMs = 1000;

/**
 * An LRU cache of open files that never change, so that a small read costs a single system call. Others may remove files behind the
 * gateway's back, so names are checked again after a second: what others removed can be read for that long.
 */
export class OpenFiles {
  /** By path, least recently used first. */
  private readonly entries = new Map<string, Entry>();

  /** @param now a clock, in milliseconds */
  constructor(
    private readonly files: FileSystem,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Like the file system's own open, of a file that never changes; it may be shared with other users. */
  async open(path: string): Promise<ReadableFile> {
    let entry = this.entries.get(path);
    if (entry !== undefined && this.now() - entry.checkedMs >= freshMs) await this.check(path, entry);
    if (entry === undefined || entry.dropped) entry = this.entries.get(path) ?? this.add(path);
    this.entries.delete(path);
    this.entries.set(path, entry);
    entry.users++;
    return new SharedFile(entry, await entry.file);
  }

  /** Forgets a name that may be another file's now. */
  drop(path: string): void {
    const entry = this.entries.get(path);
    if (entry === undefined) return;
    this.entries.delete(path);
    entry.dropped = true;
    if (entry.users === 0) entry.file.then((file) => file.close()).catch(() => undefined);
  }

  /** Closes the files without users now, and the others with their last user. */
  clear(): void {
    for (const path of [...this.entries.keys()]) this.drop(path);
  }

  private add(path: string): Entry {
    const entry: Entry = { file: this.openFile(path), users: 0, checkedMs: this.now(), dropped: false };
    this.entries.set(path, entry);
    entry.file.catch(() => {
      entry.dropped = true;
      if (this.entries.get(path) === entry) this.entries.delete(path);
    });
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.files.maxOpenFiles) break;
      this.drop(oldest);
    }
    return entry;
  }

  private async openFile(path: string): Promise<ReadableFile> {
    try {
      return await this.files.open(path);
    } catch (error) {
      if (!(error instanceof TooManyOpen)) throw error;
      this.clear();
      return this.files.open(path);
    }
  }

  /** Drops the entry unless the name is still its file's. */
  private async check(path: string, entry: Entry): Promise<void> {
    // Set first, so that concurrent readers don't wait for the check.
    entry.checkedMs = this.now();
    const [file, found] = await Promise.all([entry.file, this.files.stat(path)]).catch(() => []);
    const isSame = file !== undefined && found !== undefined && isUnchanged(file, found);
    if (!isSame && this.entries.get(path) === entry) this.drop(path);
  }
}

/** One user's view of a shared file. Its user closes it when no read of it is in progress. */
class SharedFile implements ReadableFile {
  readonly size: number;
  readonly modifiedMs: number;
  private closed = false;

  constructor(
    private readonly entry: Entry,
    private readonly file: ReadableFile,
  ) {
    this.size = file.size;
    this.modifiedMs = file.modifiedMs;
  }

  read(target: Uint8Array, offset: number, length: number): Promise<number> {
    return this.file.read(target, offset, length);
  }

  sync(): Promise<void> {
    return this.file.sync();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    if (--this.entry.users === 0 && this.entry.dropped) await this.file.close();
  }
}

function isUnchanged({ size, modifiedMs }: ReadableFile, found: FileStat): boolean {
  return found.type === 'file' && found.size === size && found.modifiedMs === modifiedMs;
}
