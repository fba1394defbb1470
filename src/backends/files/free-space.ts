import { hasCode, StoreError } from '../../core/errors.js';
import { watched } from '../../lib/watched.js';
import type { FileSystem } from './file-system.js';

/** How long an answer of the file server counts, in milliseconds. */
const freshMs = 1000;

interface Look {
  readonly atMs: number;
  /** In bytes; undefined where nobody can tell. */
  readonly free: number | undefined;
}

/** Sees to it that uploads leave so many bytes of the disk free. */
export class FreeSpace {
  private last: Look | undefined;
  private looking: Promise<void> | undefined;
  /** What uploads took since the last look, on the disk or on its way there. */
  private takenBytes = 0;

  /**
   * @param minFreeBytes how much has to stay free; with 0, nothing is looked at
   * @param now a clock, in milliseconds
   */
  constructor(
    private readonly files: Pick<FileSystem, 'freeBytes'>,
    private readonly minFreeBytes: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Passes an upload on. Fails with `no_space` before its first chunk where there is no room, or before the one for which there
   * is none any more. All uploads are taken together. What is on its way to the disk when it is looked at isn't seen: some MiB
   * for each upload.
   */
  guard(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    if (this.minFreeBytes === 0) return chunks;
    return watched(chunks, { start: () => this.take(0), chunk: ({ length }) => this.take(length) });
  }

  private take(bytes: number): void | Promise<void> {
    const isFresh = this.last !== undefined && this.now() - this.last.atMs <= freshMs;
    if (!isFresh || !this.isEnough(bytes)) return this.takeAfterLook(bytes);
    this.takenBytes += bytes;
  }

  private async takeAfterLook(bytes: number): Promise<void> {
    // Also where too little seemed to be left: what uploads took since the last look, they may have given back.
    await (this.looking ??= this.look().finally(() => (this.looking = undefined)));
    if (!this.isEnough(bytes)) throw this.tooLittle();
    this.takenBytes += bytes;
  }

  private isEnough(bytes: number): boolean {
    const { free } = this.last ?? {};
    return free === undefined || free - this.takenBytes - bytes >= this.minFreeBytes;
  }

  private async look(): Promise<void> {
    const takenBefore = this.takenBytes;
    const free = await this.ask();
    this.takenBytes -= takenBefore;
    this.last = { atMs: this.now(), free };
  }

  private async ask(): Promise<number | undefined> {
    try {
      return await this.files.freeBytes();
    } catch (error) {
      // The store's folder is gone: the upload itself finds out, and says so.
      if (hasCode(error, 'not_found')) return undefined;
      throw error;
    }
  }

  private tooLittle(): StoreError {
    return new StoreError(
      'no_space',
      `the store's disk has too little room left: ${this.minFreeBytes} bytes of it are kept free, and its operator has to make room`,
    );
  }
}
