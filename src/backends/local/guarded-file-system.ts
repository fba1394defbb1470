import { hasCode } from '../../core/errors.js';
import type { DirectoryEntry, FileStat, FileSystem, ReadableFile, WritableFile } from '../files/file-system.js';
import type { ThreadShare } from './thread-share.js';

/**
 * A file system whose operations run within a store's share of the threads, so that a disk that doesn't respond holds up no other store:
 * an operation on it fails with `unavailable`.
 */
export class GuardedFileSystem implements FileSystem {
  readonly listConcurrency: number;
  readonly maxOpenFiles: number;

  constructor(
    private readonly files: FileSystem,
    private readonly share: ThreadShare,
  ) {
    this.listConcurrency = files.listConcurrency;
    this.maxOpenFiles = files.maxOpenFiles;
  }

  readAhead(others: number): number {
    return this.files.readAhead(others);
  }

  async open(path: string): Promise<ReadableFile> {
    const file = await this.share.run(
      () => this.files.open(path),
      (late) => late.close(),
    );
    return new GuardedReadableFile(file, new GuardedFile(this.share));
  }

  async create(path: string, mode: number): Promise<WritableFile> {
    const file = await this.share.run(
      () => this.files.create(path, mode),
      // Its upload has failed by then.
      (late) => late.close().then(() => this.files.remove(path)),
    );
    return new GuardedWritableFile(file, new GuardedFile(this.share));
  }

  stat(path: string): Promise<FileStat> {
    return this.share.run(() => this.files.stat(path));
  }

  exists(path: string): Promise<boolean> {
    return this.share.run(() => this.files.exists(path));
  }

  link(from: string, to: string): Promise<void> {
    return this.share.run(() => this.files.link(from, to));
  }

  rename(from: string, to: string): Promise<void> {
    return this.share.run(() => this.files.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.share.run(() => this.files.remove(path));
  }

  list(path: string): Promise<DirectoryEntry[]> {
    return this.share.run(() => this.files.list(path));
  }

  folderVersion(path: string): Promise<string | undefined> {
    return this.share.run(() => this.files.folderVersion(path));
  }

  makeFolder(path: string, mode: number): Promise<void> {
    return this.share.run(() => this.files.makeFolder(path, mode));
  }

  syncFolder(path: string): Promise<void> {
    return this.share.run(() => this.files.syncFolder(path));
  }

  freeBytes(path: string): Promise<number | undefined> {
    return this.share.run(() => this.files.freeBytes(path));
  }

  async close(): Promise<void> {
    this.share.close();
    await this.files.close();
  }
}

/** The operations of one open file. */
class GuardedFile {
  private isStuck = false;

  constructor(private readonly share: ThreadShare) {}

  async run<T>(operation: () => Promise<T>): Promise<T> {
    try {
      return await this.share.run(operation);
    } catch (error) {
      this.isStuck ||= hasCode(error, 'unavailable');
      throw error;
    }
  }

  /** Closes it; in the background after a failure, since that would wait for an operation that may never end. */
  async close(close: () => Promise<void>): Promise<void> {
    if (this.isStuck) void close().catch(() => undefined);
    else await this.run(close);
  }
}

class GuardedReadableFile implements ReadableFile {
  readonly size: number;
  readonly modifiedMs: number;
  readonly id: string | undefined;

  constructor(
    private readonly file: ReadableFile,
    private readonly guarded: GuardedFile,
  ) {
    ({ size: this.size, modifiedMs: this.modifiedMs, id: this.id } = file);
  }

  async read(target: Uint8Array, offset: number, length: number): Promise<number> {
    const got = this.file.readNow?.(target, offset, length);
    if (got === length) return got;
    return this.guarded.run(() => this.file.read(target, offset, length));
  }

  sync(): Promise<void> {
    return this.guarded.run(() => this.file.sync());
  }

  close(): Promise<void> {
    return this.guarded.close(() => this.file.close()).catch(() => undefined);
  }
}

class GuardedWritableFile implements WritableFile {
  constructor(
    private readonly file: WritableFile,
    private readonly guarded: GuardedFile,
  ) {}

  write(chunks: readonly Uint8Array[]): Promise<void> {
    return this.guarded.run(() => this.file.write(chunks));
  }

  sync(): Promise<void> {
    return this.guarded.run(() => this.file.sync());
  }

  async syncAhead(): Promise<void> {
    await this.guarded.run(async () => this.file.syncAhead?.());
  }

  close(): Promise<void> {
    return this.guarded.close(() => this.file.close());
  }
}
