import type { FileHandle } from 'node:fs/promises';
import type { ReadableFile } from '../files/file-system.js';
import type { AdaptiveReader } from './adaptive-read.js';
import { rethrow } from './errno.js';

/** A file of this machine, open for reading. */
export class LocalReadableFile implements ReadableFile {
  readonly size: number;
  readonly modifiedMs: number;
  private underWay = 0;
  /** Called when no read is under way any more. */
  private idle: (() => void) | undefined;

  constructor(
    private readonly handle: FileHandle,
    stat: { readonly size: number; readonly mtimeMs: number },
    private readonly reader: AdaptiveReader,
  ) {
    this.size = stat.size;
    this.modifiedMs = stat.mtimeMs;
  }

  async read(target: Uint8Array, offset: number, length: number): Promise<number> {
    let done = 0;
    this.underWay++;
    try {
      while (done < length) {
        const got = await this.reader.read(this.handle, target, done, length - done, offset + done);
        if (got === 0) break;
        done += got;
      }
    } catch (error) {
      rethrow(error);
    } finally {
      if (--this.underWay === 0) this.idle?.();
    }
    return done;
  }

  readNow(target: Uint8Array, offset: number, length: number): number | undefined {
    return this.reader.readNow(this.handle, target, length, offset);
  }

  sync(): Promise<void> {
    return this.handle.sync().catch(rethrow);
  }

  async close(): Promise<void> {
    // The reader goes past the handle, which knows nothing of reads; and the number of a closed file may soon be another one's.
    if (this.underWay > 0) await new Promise<void>((resolve) => (this.idle = resolve));
    // Nothing was written through this handle that closing could lose.
    await this.handle.close().catch(() => undefined);
  }
}
