import type { MacBatch } from '../core/mac-batch.js';
import { macBytes, macFromBytes, macToBytes, type Mac } from '../core/object.js';

/** How many MACs a bucket has room for at first. */
const firstRoom = 16;

/** A set of MACs in their order, 32 to 64 bytes each, for hundreds of thousands of them. */
export class SortedMacs {
  /** By the first byte of the MACs. */
  private readonly buckets = Array.from({ length: 256 }, () => new Bucket());

  /** How many there are. */
  get size(): number {
    return this.buckets.reduce((sum, { size }) => sum + size, 0);
  }

  /** Adds MACs that it doesn't have yet. */
  add(batch: MacBatch): void {
    for (const mac of batch.toBytes()) this.bucketOf(mac).add(mac);
  }

  has(mac: Mac): boolean {
    const bytes = macToBytes(mac);
    return this.bucketOf(bytes).indexOf(bytes) >= 0;
  }

  /** All of them in their order, or those that come after one that may be in it. None may be added meanwhile. */
  *after(mac?: Mac): Generator<Mac, void, undefined> {
    const start = mac === undefined ? undefined : macToBytes(mac);
    for (const bucket of start === undefined ? this.buckets : this.buckets.slice(start[0])) {
      const isFirst = start !== undefined && bucket === this.bucketOf(start);
      for (const bytes of isFirst ? bucket.after(start) : bucket.sorted()) yield macFromBytes(bytes);
    }
  }

  private bucketOf(bytes: Uint8Array): Bucket {
    return this.buckets[bytes[0] ?? 0] as Bucket;
  }
}

class Bucket {
  size = 0;
  private bytes = Buffer.alloc(0);
  private isSorted = true;

  add(mac: Uint8Array): void {
    const at = this.size * macBytes;
    if (at === this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(firstRoom * macBytes, at * 2));
      this.bytes.copy(larger);
      this.bytes = larger;
    }
    this.bytes.set(mac, at);
    this.size++;
    this.isSorted = false;
  }

  /** All of them in their order, as slices of one buffer. */
  *sorted(from = 0): Generator<Buffer, void, undefined> {
    this.sort();
    for (let index = from; index < this.size; index++) yield this.at(index);
  }

  /** Those that come after a MAC. */
  after(mac: Buffer): Generator<Buffer, void, undefined> {
    const index = this.indexOf(mac);
    return this.sorted(index < 0 ? -1 - index : index + 1);
  }

  /** Where a MAC is; where it would be, as -1 less that index, if it isn't there. */
  indexOf(mac: Buffer): number {
    this.sort();
    let [low, high] = [0, this.size];
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = mac.compare(this.at(middle));
      if (order === 0) return middle;
      if (order < 0) high = middle;
      else low = middle + 1;
    }
    return -1 - low;
  }

  private sort(): void {
    if (this.isSorted) return;
    const macs = Array.from({ length: this.size }, (_, index) => this.at(index));
    this.bytes = Buffer.concat(macs.sort((one, other) => one.compare(other)));
    this.isSorted = true;
  }

  private at(index: number): Buffer {
    return this.bytes.subarray(index * macBytes, (index + 1) * macBytes);
  }
}
