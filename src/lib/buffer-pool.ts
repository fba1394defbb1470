/** The smallest and the largest buffers that are kept, as powers of 2: 4 KiB and 1 MiB. */
const smallestBits = 12;
const largestBits = 20;

/** How many bytes of free buffers are kept at most. */
const maxFreeBytes = 16 * 1024 * 1024;

/** How often free buffers are dropped that were not needed since the last time, in milliseconds. */
const trimMs = 5000;

/** The free buffers of one size. */
interface SizeClass {
  readonly free: Buffer[];
  /** The fewest that were free at any time since the last trim: so many were not needed. */
  unused: number;
}

/**
 * Keeps buffers for reuse. A new buffer costs more than the read that fills it: the system has to provide zeroed memory, and the garbage
 * collector has to free it.
 */
export class BufferPool {
  private readonly sizes: SizeClass[] = Array.from({ length: largestBits - smallestBits + 1 }, () => ({
    free: [],
    unused: 0,
  }));
  private freeBytes = 0;
  private timer: NodeJS.Timeout | undefined;

  /** A buffer of at least `length` bytes, with undefined content. */
  take(length: number): Buffer {
    const bits = bitsFor(length);
    const size = this.sizes[bits - smallestBits];
    if (size === undefined) return Buffer.allocUnsafeSlow(length);
    const buffer = size.free.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(2 ** bits);
    size.unused = Math.min(size.unused, size.free.length);
    this.freeBytes -= buffer.length;
    return buffer;
  }

  /** Returns a buffer from `take`, which must not be used any more. Optional: one that is not returned is garbage like any other. */
  give(buffer: Buffer): void {
    const size = this.sizes[bitsFor(buffer.length) - smallestBits];
    if (size === undefined || this.freeBytes + buffer.length > maxFreeBytes) return;
    size.free.push(buffer);
    this.freeBytes += buffer.length;
    this.timer ??= setInterval(() => this.trim(), trimMs).unref();
  }

  /** Drops the free buffers that were not needed since the last call. A timer calls it. */
  trim(): void {
    for (const size of this.sizes) {
      for (const { length } of size.free.splice(0, size.unused)) this.freeBytes -= length;
      size.unused = size.free.length;
    }
    if (this.freeBytes > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

/** The pool that the whole process shares. */
export const buffers = new BufferPool();

function bitsFor(length: number): number {
  return Math.max(smallestBits, 32 - Math.clz32(length - 1));
}
