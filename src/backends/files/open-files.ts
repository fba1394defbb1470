import { hasCode } from '../../core/errors.js';
import { TooManyOpen, type FileStat, type FileSystem, type ReadableFile } from './file-system.js';

/** A file that is open, or being opened. */
interface Entry {
  readonly file: Promise<ReadableFile>;
  readonly openedMs: number;
  users: number;
  /** When it last had a user. */
  usedMs: number;
  /** When it was last checked that the name is still this file's. */
  checkedMs: number;
  /** Whether it was removed from the cache, and is closed with its last user. */
  dropped: boolean;
}

/** An entry that is kept open by one user, and its file. */
interface Lease {
  readonly entry: Entry;
  readonly file: ReadableFile;
}

/** For how long a check is trusted, in milliseconds. */
const freshMs = 1000;
/** How long a file without an id is kept open, in milliseconds: another one of the same size and time looks the same. */
const maxAgeMs = 10_000;
/** How long a file is kept open without a user, and how often that is looked for, in milliseconds: the room of a deleted one is not free. */
const idleMs = 5000;

/**
 * An LRU cache of open files that never change, so that a small read costs a single system call. Others may remove and replace files behind
 * the gateway's back, so names are checked again after a second: what others removed can be read for that long.
 */
export class OpenFiles {
  /** By path, least recently used first. */
  private readonly entries = new Map<string, Entry>();
  private idleTimer: NodeJS.Timeout | undefined;

  /** @param now a clock, in milliseconds */
  constructor(
    private readonly files: FileSystem,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Like the file system's own open, of a file that never changes; it may be shared with other users. */
  async open(path: string): Promise<ReadableFile> {
    const entry = this.entries.get(path);
    if (entry !== undefined && this.now() - entry.checkedMs >= freshMs) await this.check(path, entry);
    return new SharedFile(this, path, await this.lease(path));
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
    clearTimeout(this.idleTimer);
    this.idleTimer = undefined;
    for (const path of [...this.entries.keys()]) this.drop(path);
  }

  /** Closes the files that had no user for a while. It happens by itself, too. */
  closeIdle(): void {
    for (const [path, { users, usedMs }] of [...this.entries]) {
      if (users === 0 && this.now() - usedMs >= idleMs) this.drop(path);
    }
  }

  /**
   * Another lease of the same file, after a read through `failed` failed: an open file may be stale, for good, after its file server was
   * restarted. Fails if that isn't the same file any more.
   */
  async renew(path: string, failed: Lease): Promise<Lease> {
    if (this.entries.get(path) === failed.entry) this.drop(path);
    const lease = await this.lease(path);
    if (isSameFile(lease.file, failed.file)) return lease;
    await this.release(lease);
    throw new Error('the file was replaced');
  }

  async release({ entry, file }: Lease): Promise<void> {
    entry.usedMs = this.now();
    if (--entry.users === 0 && entry.dropped) await file.close();
  }

  private async lease(path: string): Promise<Lease> {
    const entry = this.entries.get(path) ?? this.add(path);
    this.entries.delete(path);
    this.entries.set(path, entry);
    entry.users++;
    return { entry, file: await entry.file };
  }

  private add(path: string): Entry {
    const now = this.now();
    const file = this.openFile(path);
    const entry: Entry = { file, openedMs: now, users: 0, usedMs: now, checkedMs: now, dropped: false };
    this.entries.set(path, entry);
    file.catch(() => {
      entry.dropped = true;
      if (this.entries.get(path) === entry) this.entries.delete(path);
    });
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.files.maxOpenFiles) break;
      this.drop(oldest);
    }
    this.watchIdle();
    return entry;
  }

  private watchIdle(): void {
    this.idleTimer ??= setTimeout(() => {
      this.idleTimer = undefined;
      this.closeIdle();
      if (this.entries.size > 0) this.watchIdle();
    }, idleMs).unref();
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
    const now = this.now();
    // Set first, so that concurrent readers don't wait for the check.
    entry.checkedMs = now;
    const [file, found] = await Promise.all([entry.file, this.files.stat(path)]).catch(() => []);
    const isKnown = file !== undefined && (file.id !== undefined || now - entry.openedMs < maxAgeMs);
    const isSame = isKnown && found?.type === 'file' && isSameFile(file, found);
    if (!isSame && this.entries.get(path) === entry) this.drop(path);
  }
}

/** One user's view of a shared file. Its user closes it when no read of it is in progress. */
class SharedFile implements ReadableFile {
  readonly size: number;
  readonly modifiedMs: number;
  readonly id: string | undefined;
  /** What is read after a read has failed. */
  private renewed: Promise<Lease> | undefined;
  private closed = false;

  constructor(
    private readonly files: OpenFiles,
    private readonly path: string,
    private readonly lease: Lease,
  ) {
    ({ size: this.size, modifiedMs: this.modifiedMs, id: this.id } = lease.file);
  }

  async read(target: Uint8Array, offset: number, length: number): Promise<number> {
    try {
      return await this.lease.file.read(target, offset, length);
    } catch (error) {
      if (!hasCode(error, 'unavailable') && !hasCode(error, 'internal')) throw error;
      this.renewed ??= this.files.renew(this.path, this.lease);
      const { file } = await this.renewed.catch(() => {
        throw error;
      });
      return file.read(target, offset, length);
    }
  }

  sync(): Promise<void> {
    return this.lease.file.sync();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.files.release(this.lease);
    await this.renewed?.then(
      (lease) => this.files.release(lease),
      () => undefined,
    );
  }
}

function isSameFile(file: ReadableFile, found: Pick<FileStat, 'size' | 'modifiedMs' | 'id'>): boolean {
  return found.size === file.size && found.modifiedMs === file.modifiedMs && found.id === file.id;
}
