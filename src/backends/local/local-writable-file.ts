import * as fs from 'node:fs';
import { StoreError } from '../../core/errors.js';
import type { WritableFile } from '../files/file-system.js';
import { close, fchmod, fdatasync, fstat, fsync, open, writev } from './descriptors.js';
import { rethrow } from './errno.js';
import type { SyncIoGovernor } from './sync-io-governor.js';

/** Files of up to this size may be written on the event loop. Larger ones may take long to close: network disks flush them then. */
const smallBytes = 2 * 1024 * 1024;

/** A new file of this machine. */
export class LocalWritableFile implements WritableFile {
  private size = 0;

  private constructor(
    private readonly fd: number,
    private readonly calls: SyncIoGovernor,
  ) {}

  /** @param path absolute */
  static async create(path: string, mode: number, calls: SyncIoGovernor): Promise<LocalWritableFile> {
    const fd = await calls.call(fs.openSync, open, path, 'wx', mode);
    const file = new LocalWritableFile(fd, calls);
    try {
      const stat = await calls.call(
        () => fs.fstatSync(fd),
        () => fstat(fd),
      );
      // The process's umask may have reduced it.
      if ((stat.mode & 0o7777) !== mode) await fchmod(fd, mode).catch(rethrow);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    let rest = chunks;
    while (rest.length > 0) {
      const written = await this.writeSome(rest);
      this.size += written;
      rest = after(rest, written);
    }
  }

  sync(): Promise<void> {
    return fsync(this.fd).catch(rethrow);
  }

  syncAhead(): Promise<void> {
    return fdatasync(this.fd).catch(rethrow);
  }

  async close(): Promise<void> {
    const { fd } = this;
    // One operation for both calls: on the way to the thread pool and back, each takes less time than the way.
    const { size } = await this.call(
      () => {
        try {
          return fs.fstatSync(fd);
        } finally {
          fs.closeSync(fd);
        }
      },
      () => fstat(fd).finally(() => close(fd)),
    );
    // The file system's own count, against the writes that it acknowledged.
    if (size === this.size) return;
    throw new StoreError('internal', `the store's disk kept ${size} of ${this.size} bytes: nothing is stored`);
  }

  private writeSome(chunks: readonly Uint8Array[]): Promise<number> {
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    return this.call(
      () => fs.writevSync(this.fd, chunks),
      async () => (await writev(this.fd, chunks)).bytesWritten,
      bytes,
    );
  }

  /** @param bytes by how much the file grows */
  private call<T>(onEventLoop: () => T, inThreadPool: () => Promise<T>, bytes = 0): Promise<T> {
    const isSmall = this.size + bytes <= smallBytes;
    return (isSmall ? this.calls.run(onEventLoop, inThreadPool) : inThreadPool()).catch(rethrow);
  }
}

/** What is left of `chunks` after the first `written` bytes: a nearly full disk takes only a part. */
function after(chunks: readonly Uint8Array[], written: number): Uint8Array[] {
  let index = 0;
  let skip = written;
  for (const chunk of chunks) {
    if (skip < chunk.length) break;
    skip -= chunk.length;
    index++;
  }
  const [partial, ...whole] = chunks.slice(index);
  return partial === undefined ? [] : [partial.subarray(skip), ...whole];
}
