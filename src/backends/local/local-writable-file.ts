import { open, type FileHandle } from 'node:fs/promises';
import { StoreError } from '../../core/errors.js';
import type { WritableFile } from '../files/file-system.js';
import { rethrow } from './errno.js';

/** A new file of this machine. */
export class LocalWritableFile implements WritableFile {
  private size = 0;

  private constructor(private readonly handle: FileHandle) {}

  /** @param path absolute */
  static async create(path: string, mode: number): Promise<LocalWritableFile> {
    const handle = await open(path, 'wx', mode).catch(rethrow);
    const file = new LocalWritableFile(handle);
    try {
      const stat = await handle.stat();
      // The process's umask may have reduced it.
      if ((stat.mode & 0o7777) !== mode) await handle.chmod(mode);
      return file;
    } catch (error) {
      await handle.close().catch(() => undefined);
      return rethrow(error);
    }
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    let rest = chunks;
    while (rest.length > 0) {
      const { bytesWritten } = await this.handle.writev(rest).catch(rethrow);
      this.size += bytesWritten;
      rest = after(rest, bytesWritten);
    }
  }

  sync(): Promise<void> {
    return this.handle.sync().catch(rethrow);
  }

  syncAhead(): Promise<void> {
    return this.handle.datasync().catch(rethrow);
  }

  async close(): Promise<void> {
    const { size } = await this.handle
      .stat()
      .finally(() => this.handle.close())
      .catch(rethrow);
    // The file system's own count, against the writes that it acknowledged.
    if (size === this.size) return;
    throw new StoreError('internal', `the store's disk kept ${size} of ${this.size} bytes: nothing is stored`);
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
