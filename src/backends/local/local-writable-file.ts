import * as fs from 'node:fs';
import { StoreError } from '../../core/errors.js';
import type { WritableFile } from '../files/file-system.js';
import { close, fchmod, fdatasync, fstat, fsync, open, writev } from './descriptors.js';
import { rethrow } from './errno.js';
import type { ShortCalls } from './short-calls.js';

/** Up to here a file may be written on the event loop, in bytes. Larger ones, network disks flush when they are closed. */
const smallBytes = 2 * 1024 * 1024;

/** A new file of this machine. Its number instead of Node's FileHandle, which knows no calls on the event loop. */
export class LocalWritableFile implements WritableFile {
  private size = 0;

  private constructor(
    private readonly fd: number,
    private readonly calls: ShortCalls,
  ) {}

  /**
   * @param path absolute
   * @param modes those that files got just as they were asked for: the process's umask, which may take something away, stays the same
   */
  static async create(path: string, mode: number, calls: ShortCalls, modes: Set<number>): Promise<LocalWritableFile> {
    const fd = await calls.run(
      () => fs.openSync(path, 'wx', mode),
      () => open(path, 'wx', mode),
    );
    const file = new LocalWritableFile(fd, calls);
    if (modes.has(mode)) return file;
    try {
      if (!(await file.setMode(mode))) modes.add(mode);
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
    // Both at once: on the event loop, going there and back takes longer than either.
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
    // The file system's own count, against the writes that it said yes to.
    if (size === this.size) return;
    throw new StoreError('internal', `the store's disk kept ${size} of ${this.size} bytes: nothing is stored`);
  }

  /** Resolves to whether there was something to do. */
  private async setMode(mode: number): Promise<boolean> {
    const { fd } = this;
    if (((await fstat(fd).catch(rethrow)).mode & 0o7777) === mode) return false;
    await fchmod(fd, mode).catch(rethrow);
    return true;
  }

  private writeSome(chunks: readonly Uint8Array[]): Promise<number> {
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    return this.call(
      () => fs.writevSync(this.fd, chunks),
      async () => (await writev(this.fd, chunks)).bytesWritten,
      bytes,
    );
  }

  /** @param bytes how many more the file has afterwards */
  private call<T>(here: () => T, inPool: () => Promise<T>, bytes = 0): Promise<T> {
    return this.size + bytes <= smallBytes ? this.calls.run(here, inPool) : inPool().catch(rethrow);
  }
}

/** What is left of `chunks` when the first `taken` bytes are gone: a nearly full disk takes a part. */
function after(chunks: readonly Uint8Array[], taken: number): Uint8Array[] {
  let index = 0;
  let skip = taken;
  for (const chunk of chunks) {
    if (skip < chunk.length) break;
    skip -= chunk.length;
    index++;
  }
  const [partial, ...whole] = chunks.slice(index);
  return partial === undefined ? [] : [partial.subarray(skip), ...whole];
}
