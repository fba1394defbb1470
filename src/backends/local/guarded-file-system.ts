import { hasCode } from '../../core/errors.js';
import type { FileSystem, ReadableFile, WritableFile } from '../files/file-system.js';
import type { ThreadShare } from './thread-share.js';

/**
 * A file system whose operations run within a store's share of the threads, so that a disk that doesn't respond holds up no other store:
 * an operation on it fails with `unavailable`.
 */
export function guardedFileSystem(files: FileSystem, share: ThreadShare): FileSystem {
  const { listConcurrency, maxOpenFiles } = files;
  return {
    listConcurrency,
    maxOpenFiles,
    readAhead: (others) => files.readAhead(others),
    open: async (path) => {
      const file = await share.run(
        () => files.open(path),
        (late) => late.close(),
      );
      return guardedReadableFile(file, new GuardedFile(share));
    },
    create: async (path, mode) => {
      const file = await share.run(
        () => files.create(path, mode),
        // Its upload has failed by then.
        (late) => late.close().then(() => files.remove(path)),
      );
      return guardedWritableFile(file, new GuardedFile(share));
    },
    stat: (path) => share.run(() => files.stat(path)),
    exists: (path) => share.run(() => files.exists(path)),
    link: (from, to) => share.run(() => files.link(from, to)),
    rename: (from, to) => share.run(() => files.rename(from, to)),
    setModified: (path, ms) => share.run(() => files.setModified(path, ms)),
    remove: (path) => share.run(() => files.remove(path)),
    list: (path) => share.run(() => files.list(path)),
    batches: (path) => guardedIteration(files.batches(path), share),
    folderVersion: (path) => share.run(() => files.folderVersion(path)),
    makeFolder: (path, mode) => share.run(() => files.makeFolder(path, mode)),
    removeFolder: (path) => share.run(() => files.removeFolder(path)),
    syncFolder: (path) => share.run(() => files.syncFolder(path)),
    freeBytes: (path) => share.run(() => files.freeBytes(path)),
    close: async () => {
      share.close();
      await files.close();
    },
  };
}

async function* guardedIteration<T>(items: AsyncIterable<T>, share: ThreadShare): AsyncGenerator<T, void, undefined> {
  const iterator = items[Symbol.asyncIterator]();
  const guarded = new GuardedFile(share);
  try {
    for (;;) {
      const next = await guarded.run(() => iterator.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await guarded.close(async () => void (await iterator.return?.()));
  }
}

function guardedReadableFile(file: ReadableFile, guarded: GuardedFile): ReadableFile {
  const { size, modifiedMs, id } = file;
  return {
    size,
    modifiedMs,
    id,
    read: async (target, offset, length) => {
      const got = file.readNow?.(target, offset, length);
      return got === length ? got : guarded.run(() => file.read(target, offset, length));
    },
    sync: () => guarded.run(() => file.sync()),
    close: () => guarded.close(() => file.close()).catch(() => undefined),
  };
}

function guardedWritableFile(file: WritableFile, guarded: GuardedFile): WritableFile {
  return {
    write: (chunks) => guarded.run(() => file.write(chunks)),
    sync: () => guarded.run(() => file.sync()),
    syncAhead: () => guarded.run(async () => file.syncAhead?.()),
    close: () => guarded.close(() => file.close()),
  };
}

/** The operations of one open file, or folder. */
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
