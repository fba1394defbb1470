import type { Mac } from './object.js';

/** How many digits a key has, and where they begin: the first two are often the same, as folders and batches are named by them. */
const keyDigits = 5;
export const keyStart = 2;
export const keyEnd = keyStart + keyDigits;

/** A set of MACs that MacBatch can compare with without creating the strings of all of its MACs. */
export class MacSet implements Iterable<Mac> {
  private readonly macs = new Set<Mac>();
  /** A bit for each key of a MAC that was ever added. */
  private readonly keys = new Uint8Array(16 ** keyDigits / 8);

  constructor(macs: Iterable<Mac> = []) {
    for (const mac of macs) this.add(mac);
  }

  get size(): number {
    return this.macs.size;
  }

  add(mac: Mac): void {
    this.macs.add(mac);
    const key = parseInt(mac.slice(keyStart, keyEnd), 16);
    this.keys[key >> 3] = (this.keys[key >> 3] ?? 0) | (1 << (key & 7));
  }

  delete(mac: Mac): void {
    this.macs.delete(mac);
  }

  has(mac: Mac): boolean {
    return this.macs.has(mac);
  }

  /** Whether it may have a MAC whose digits from `keyStart` up to `keyEnd` are this number: false for most that it doesn't have. */
  mayHave(key: number): boolean {
    return ((this.keys[key >> 3] ?? 0) & (1 << (key & 7))) !== 0;
  }

  [Symbol.iterator](): IterableIterator<Mac> {
    return this.macs[Symbol.iterator]();
  }
}
