import { createHash, type Hash } from 'node:crypto';
import type { StoreError } from '../../core/errors.js';
import type { Digest } from './comparing.js';

/** Reads an upload's chunks into buffers. */
export class ByteSource {
  private readonly chunks: AsyncIterator<Uint8Array>;
  /** What was requested and isn't read yet. */
  private rest: Uint8Array = new Uint8Array();
  private read = 0;
  private hash: Hash | undefined;
  private stopped: StoreError | undefined;
  private giveUp: ((reason: StoreError) => void) | undefined;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** Reads until `buffer` is full or the source ends, from an offset on. Resolves to the offset of the end of what is in the buffer. */
  async fill(buffer: Uint8Array, offset = 0): Promise<number> {
    while (offset < buffer.length && !(await this.isAtEnd())) {
      const piece = this.take(buffer.length - offset);
      buffer.set(piece, offset);
      offset += piece.length;
    }
    return offset;
  }

  /** Waits for the next byte. Resolves to true if there is none. */
  async isAtEnd(): Promise<boolean> {
    while (this.rest.length === 0) {
      const next = await this.next();
      if (next.done === true) return true;
      this.rest = next.value;
    }
    return false;
  }

  /** Reads what is left, only for the digest. */
  async drain(): Promise<void> {
    while (!(await this.isAtEnd())) this.take(Infinity);
  }

  /** From now on keeps a digest. @param bytes everything that was read so far */
  startDigest(bytes: Uint8Array): void {
    this.hash = createHash('sha256').update(bytes);
  }

  /** Ends the digest, which must have been started. */
  digest(): Digest {
    if (this.hash === undefined) throw new Error('no digest was started');
    return { size: this.read, sha256: this.hash.digest() };
  }

  /** Ends the wait for the next byte, and every later one, with an error. */
  stop(reason: StoreError): void {
    this.stopped = reason;
    this.giveUp?.(reason);
  }

  /** Tells the source that nothing more is read. */
  async close(): Promise<void> {
    const closed = this.chunks.return?.();
    // It may wait for the client until that is gone.
    if (this.stopped !== undefined) closed?.catch(() => undefined);
    else await closed;
  }

  private next(): Promise<IteratorResult<Uint8Array>> {
    if (this.stopped !== undefined) return Promise.reject(this.stopped);
    return new Promise((resolve, reject) => {
      this.giveUp = reject;
      this.chunks.next().then(resolve, reject);
    });
  }

  private take(limit: number): Uint8Array {
    const piece = this.rest.subarray(0, limit);
    this.rest = this.rest.subarray(piece.length);
    this.read += piece.length;
    this.hash?.update(piece);
    return piece;
  }
}
