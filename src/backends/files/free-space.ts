import { ifPresent, StoreError } from '../../core/errors.js';
import { formatBytes } from '../../lib/format-bytes.js';
import { SingleFlight } from '../../lib/single-flight.js';
import { watched } from '../../lib/watched.js';
import type { FileSystem } from './file-system.js';

/** For how long an answer of the file server is used, in milliseconds. */
const freshMs = 1000;

interface Measurement {
  readonly atMs: number;
  /** In bytes; undefined if unknown. */
  readonly free: number | undefined;
}

/** Makes uploads leave a part of the disk free. */
export class FreeSpace {
  private last: Measurement | undefined;
  private readonly measuring = new SingleFlight<void>();
  /** What uploads have used since the last measurement. */
  private usedBytes = 0;

  /**
   * @param folder the one that is written to
   * @param minFreeBytes how much has to stay free; with 0, nothing is measured
   * @param now a clock, in milliseconds
   */
  constructor(
    private readonly files: Pick<FileSystem, 'freeBytes'>,
    private readonly folder: string,
    private readonly minFreeBytes: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Passes an upload on. Fails with `no_space` when there is no room for its next chunk, and before the first one if there is none at
   * all. All uploads count together. A measurement misses the bytes that are on their way to the disk: some MiB for each upload.
   */
  guard(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    if (this.minFreeBytes === 0) return chunks;
    return watched(chunks, { start: () => this.use(0), chunk: ({ length }) => this.use(length) });
  }

  private use(bytes: number): void | Promise<void> {
    const isFresh = this.last !== undefined && this.now() - this.last.atMs <= freshMs;
    if (!isFresh || !this.isEnough(bytes)) return this.measureAndUse(bytes);
    this.usedBytes += bytes;
  }

  private async measureAndUse(bytes: number): Promise<void> {
    // Also when too little seems to be left: failed uploads have freed what they used.
    await this.measuring.run(() => this.measure());
    if (!this.isEnough(bytes)) throw this.tooLittle();
    this.usedBytes += bytes;
  }

  private isEnough(bytes: number): boolean {
    const { free } = this.last ?? {};
    return free === undefined || free - this.usedBytes - bytes >= this.minFreeBytes;
  }

  private async measure(): Promise<void> {
    const usedBefore = this.usedBytes;
    // Without the store's folder, the upload itself fails with a better message.
    const free = await ifPresent(this.files.freeBytes(this.folder));
    this.usedBytes -= usedBefore;
    this.last = { atMs: this.now(), free };
  }

  private tooLittle(): StoreError {
    return new StoreError(
      'no_space',
      `the store's disk has too little room left: ${formatBytes(this.minFreeBytes)} of it are kept free (min-free-space); ` +
        'its operator has to make room',
    );
  }
}
