import { BufferPool } from '../lib/buffer-pool.js';

/** How large the chunks are that pieces are gathered into, in bytes. */
const gatherBytes = 256 * 1024;

/** Whoever is done with a chunk gives it back. */
const pool = new BufferPool();

/** Pieces from here on are not worth copying, in bytes. */
const largeBytes = 64 * 1024;

/**
 * The same bytes in fewer pieces: small ones that follow each other are copied together. Whoever is done with a piece disposes of it.
 * Each piece that goes out costs more than copying a small one.
 */
export function fewer(pieces: readonly Uint8Array[]): Uint8Array[] {
  const result: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const endSmall = (): void => {
    if (small.length < 2) result.push(...small);
    else gather(small, result);
    small = [];
  };
  for (const piece of pieces) {
    if (piece.length < largeBytes) {
      small.push(piece);
      continue;
    }
    endSmall();
    result.push(piece);
  }
  endSmall();
  return result;
}

function gather(pieces: readonly Uint8Array[], chunks: Uint8Array[]): void {
  const gatherer = new Gatherer();
  let following = pieces.reduce((sum, { length }) => sum + length, 0);
  for (const piece of pieces) gatherer.add(piece, chunks, (following -= piece.length));
  gatherer.flush(chunks);
}

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
    if (buffer !== undefined) chunks.push(buffer.subarray(0, filled));
    this.buffer = undefined;
    this.filled = 0;
  }
}
