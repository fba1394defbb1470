import type { Digest } from '../core/digests.js';
import { macBytes } from '../core/object.js';

/** The size of a name: a byte for the kind, and a MAC. */
const nameBytes = 1 + macBytes;
const recordBytes = nameBytes + 32;

/** The numbers of a record, by their index. */
const field = { size: 0, recorded: 1, seen: 2, deleted: 3, restored: 4 } as const;
const fields = 5;

/** How many records there are in a block of memory. */
const blockRecords = 4096;

/** A digest, and when it was recorded, in milliseconds since 1970-01-01 UTC. */
export interface KnownDigest extends Digest {
  readonly recordedMs: number;
  /** Whether it is only known of reading the object in the store, where it may have been damaged before. */
  readonly isSeen: boolean;
}

/** Names with a digest or without, in some 110 bytes each. Records are numbered from 0 on. */
export class DigestRecords {
  count = 0;
  private readonly bytes: Buffer[] = [];
  private readonly numbers: Float64Array[] = [];

  /** Returns the record's number. */
  add(name: Uint8Array, known: KnownDigest | undefined): number {
    const record = this.count++;
    if (record % blockRecords === 0) {
      this.bytes.push(Buffer.alloc(blockRecords * recordBytes));
      this.numbers.push(new Float64Array(blockRecords * fields));
    }
    const bytes = this.bytesOf(record);
    bytes.set(name);
    if (known !== undefined) bytes.set(known.sha256, nameBytes);
    this.set(record, 'size', known?.size ?? NaN);
    this.set(record, 'recorded', known?.recordedMs ?? NaN);
    this.set(record, 'seen', Number(known?.isSeen));
    this.set(record, 'deleted', -Infinity);
    this.set(record, 'restored', -Infinity);
    return record;
  }

  nameOf(record: number): Buffer {
    return this.bytesOf(record).subarray(0, nameBytes);
  }

  digestOf(record: number): KnownDigest | undefined {
    const size = this.numberOf(record, 'size');
    if (Number.isNaN(size)) return undefined;
    const sha256 = this.bytesOf(record).subarray(nameBytes);
    const isSeen = this.numberOf(record, 'seen') === 1;
    return { size, sha256, recordedMs: this.numberOf(record, 'recorded'), isSeen };
  }

  /** When it was last deleted; -Infinity if that isn't known. */
  deletedMs(record: number): number {
    return this.numberOf(record, 'deleted');
  }

  /** When the last delete was that it came back from; -Infinity if it never did. */
  restoredMs(record: number): number {
    return this.numberOf(record, 'restored');
  }

  /** The latest of all times counts, and what was put. */
  recordedAt(record: number, ms: number, isSeen: boolean): void {
    this.set(record, 'recorded', Math.max(ms, this.numberOf(record, 'recorded')));
    if (!isSeen) this.set(record, 'seen', 0);
  }

  /** The latest of all times counts. */
  deletedAt(record: number, ms: number): void {
    this.set(record, 'deleted', Math.max(ms, this.deletedMs(record)));
  }

  /** The latest of all times counts. */
  restoredFrom(record: number, deletedMs: number): void {
    this.set(record, 'restored', Math.max(deletedMs, this.restoredMs(record)));
  }

  private bytesOf(record: number): Buffer {
    const start = (record % blockRecords) * recordBytes;
    return (this.bytes[Math.floor(record / blockRecords)] ?? Buffer.alloc(0)).subarray(start, start + recordBytes);
  }

  private numberOf(record: number, name: keyof typeof field): number {
    return this.numbers[Math.floor(record / blockRecords)]?.[(record % blockRecords) * fields + field[name]] ?? NaN;
  }

  private set(record: number, name: keyof typeof field, value: number): void {
    const block = this.numbers[Math.floor(record / blockRecords)];
    if (block !== undefined) block[(record % blockRecords) * fields + field[name]] = value;
  }
}
