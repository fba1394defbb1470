/** The smallest and the largest buffers that are kept, as powers of 2: 4 KiB and 1 MiB. */
const smallestBits = 12;
const largestBits = 20;

/** How many bytes of each size are kept for the next ones. */
const keptBytes = 4 * 1024 * 1024;

/**
 * Buffers that are used again. A new one for each answer costs more than the read that fills it: its memory is touched for the
 * first time then, and the collector has to follow.
 */
export class BufferPool {
  private readonly free: Buffer[][] = Array.from({ length: largestBits - smallestBits + 1 }, () => []);

  /** A buffer of at least `length` bytes, with whatever is in it. */
  take(length: number): Buffer {
    const bits = bitsFor(length);
    if (bits > largestBits) return Buffer.allocUnsafeSlow(length);
    return this.free[bits - smallestBits]?.pop() ?? Buffer.allocUnsafeSlow(2 ** bits);
  }

  /** Takes a buffer back, once and for all, that `take` gave. */
  give(buffer: Buffer): void {
    const kept = this.free[bitsFor(buffer.length) - smallestBits];
    if (kept !== undefined && (kept.length + 1) * buffer.length <= keptBytes) kept.push(buffer);
  }
}

function bitsFor(length: number): number {
  return Math.max(smallestBits, 32 - Math.clz32(length - 1));
}
