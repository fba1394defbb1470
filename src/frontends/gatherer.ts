import { BufferPool } from '../core/buffer-pool.js';
import { giveBackWhenDone } from '../core/disposable.js';

/** How large the chunks are that pieces are gathered into, in bytes. */
const gatherBytes = 256 * 1024;

/** Of all uploads: whoever writes their chunks gives them back. */
const pool = new BufferPool();

/**
 * Copies pieces that a connection brought into larger chunks, whose memory is used again. What is done for each piece of an upload costs
 * more than the copying, and pieces that live no longer than that cost the collector next to nothing. Measured for 16 MiB over gRPC,
 * which come in pieces of 16 KiB: 20 ms of CPU instead of 22 or 36, as the collector got to it, and 45 MiB less memory.
 */
export class Gatherer {
  private buffer: Buffer | undefined;
  private filled = 0;

  /**
   * @param chunks gets the chunks that are full with this piece
   * @param following how many bytes will come behind the piece, where that is known: they need no more memory than that
   */
  add(piece: Uint8Array, chunks: Uint8Array[], following = gatherBytes): void {
    for (let at = 0; at < piece.length;) {
      const buffer = (this.buffer ??= pool.take(Math.min(gatherBytes, piece.length - at + following)));
      const part = piece.subarray(at, at + buffer.length - this.filled);
      buffer.set(part, this.filled);
      at += part.length;
      this.filled += part.length;
      if (this.filled === buffer.length) this.flush(chunks);
    }
  }

  /** Ends a chunk, which `chunks` gets, with what there is. */
  flush(chunks: Uint8Array[]): void {
    const { buffer, filled } = this;
    if (buffer !== undefined) chunks.push(giveBackWhenDone(buffer.subarray(0, filled), buffer, pool));
    this.buffer = undefined;
    this.filled = 0;
  }
}
