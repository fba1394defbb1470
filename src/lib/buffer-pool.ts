/** The smallest and the largest buffers that are kept, as powers of 2: 4 KiB and 1 MiB. */
const smallestBits = 12;
const largestBits = 20;

/** How many bytes are kept for the next ones. */
const keptBytes = 16 * 1024 * 1024;

/**
 * Buffers that are used again. A new one for each answer costs more than the read that fills it: its memory is touched for the
 * first time then, and the collector has to follow.
 */
export class BufferPool {
  private readonly free: Buffer[][] = Array.from({ length: largestBits - smallestBits + 1 }, () => []);
  private freeBytes = 0;

  /** A buffer of at least `length` bytes, with whatever is in it. */
  take(length: number): Buffer {
    const bits = bitsFor(length);
    if (bits > largestBits) return Buffer.allocUnsafeSlow(length);
    const kept = this.free[bits - smallestBits]?.pop();
    if (kept === undefined) return Buffer.allocUnsafeSlow(2 ** bits);
    this.freeBytes -= kept.length;
    return kept;
  }

  /** Takes a buffer back, once and for all, that `take` gave. */
  give(buffer: Buffer): void {
    const kept = this.free[bitsFor(buffer.length) - smallestBits];
    if (kept === undefined || this.freeBytes + buffer.length > keptBytes) return;
    kept.push(buffer);
    this.freeBytes += buffer.length;
  }
}

function bitsFor(length: number): number {
  return Math.max(smallestBits, 32 - Math.clz32(length - 1));
}
