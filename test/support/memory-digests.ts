import {
  isSegmentName,
  type DigestStorage,
  type SegmentAppender,
  type SegmentReadOptions,
} from '../../src/core/digests.js';
import { StoreError } from '../../src/core/errors.js';
import type { OpContext } from '../../src/core/store.js';

/** Segments of digests in memory. */
export class MemoryDigests implements DigestStorage {
  isDurable = true;
  maxSegmentBytes = 1e6;
  /** Tests read and change them. */
  readonly segments = new Map<string, Buffer>();
  appends = 0;
  /** Runs before each append; what it throws is its failure. */
  beforeAppend: (bytes: Uint8Array) => Promise<void> | void = () => undefined;
  /** Runs before a segment is read; what it throws is its failure. */
  beforeRead: (name: string) => void = () => undefined;

  async list() {
    const names = [...this.segments.keys()].filter(isSegmentName).sort();
    return names.map((name) => ({ name, size: this.segments.get(name)?.length ?? 0 }));
  }

  async *read(name: string, _ctx: OpContext, { from = 0 }: SegmentReadOptions = {}): AsyncGenerator<Uint8Array> {
    this.beforeRead(name);
    const bytes = this.segments.get(name);
    if (bytes === undefined) throw new StoreError('not_found', 'no such segment');
    // Small ones, so that most lines are in two of them.
    for (let at = from; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
  }

  async create(name: string): Promise<SegmentAppender> {
    if (this.segments.has(name)) throw new StoreError('already_exists', 'it is there');
    this.segments.set(name, Buffer.alloc(0));
    return {
      append: async (bytes) => {
        this.appends++;
        await this.beforeAppend(bytes);
        this.segments.set(name, Buffer.concat([this.segments.get(name) ?? Buffer.alloc(0), bytes]));
      },
      close: async () => undefined,
    };
  }

  /** The text of the segment with this index, the first one first. */
  text(index: number): string {
    return this.bytesOf(index).toString('latin1');
  }

  /** Its name. */
  nameOf(index: number): string {
    return [...this.segments.keys()][index] ?? '';
  }

  bytesOf(index: number): Buffer {
    return this.segments.get(this.nameOf(index)) ?? Buffer.alloc(0);
  }
}
