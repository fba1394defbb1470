import { open, type FileHandle } from 'node:fs/promises';
import { StoreError } from '../../core/errors.js';
import type { WritableFile } from '../files/file-system.js';
import { rethrow } from './errno.js';

/** A new file of this machine. */
export class LocalWritableFile implements WritableFile {
  private size = 0;
  private isSynced = false;

  private constructor(
    private readonly handle: FileHandle,
    private readonly mode: number,
  ) {}

  /** @param path absolute */
  static async create(path: string, mode: number): Promise<LocalWritableFile> {
    return new LocalWritableFile(await open(path, 'wx', mode).catch(rethrow), mode);
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    let rest = chunks;
    while (rest.length > 0) {
      const { bytesWritten } = await this.handle.writev(rest).catch(rethrow);
      this.size += bytesWritten;
      rest = after(rest, bytesWritten);
    }
  }

  async sync(): Promise<void> {
    await this.handle.sync().catch(rethrow);
    this.isSynced = true;
  }

  syncAhead(): Promise<void> {
    return this.handle.datasync().catch(rethrow);
  }

  async close(): Promise<void> {
    const size = await this.completed()
      .finally(() => this.handle.close())
      .catch(rethrow);
    // The file system's own count, against the writes that it acknowledged.
    if (size === this.size) return;
    throw new StoreError('internal', `the store's disk kept ${size} of ${this.size} bytes: nothing is stored`);
  }

  /** Sets the mode, if the process's umask has reduced it. Resolves to the size. */
  private async completed(): Promise<number> {
    const { handle } = this;
    const { size, mode } = await handle.stat();
    if ((mode & 0o7777) !== this.mode) {
      await handle.chmod(this.mode);
      if (this.isSynced) await handle.sync();
    }
    return size;
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
