import { BufferPool } from '../../../lib/buffer-pool.js';
import { canceled } from '../../../core/errors.js';
import type { Transfer } from '../../pace.js';
import { Framing } from './framing.js';

/** How large the pieces are that a body is read in, in bytes. */
const pieceBytes = 512 * 1024;

/** Room for less isn't worth a read: the piece is handed on as it is. */
const leastRoomBytes = 16 * 1024;

/** How many pieces are kept while nobody asks for them; then the client has to wait. */
const keptPieces = 2;

/** Whoever is done with a piece gives it back. */
const pool = new BufferPool();

/**
 * The body of a request. The system puts it where it is written from: a large one is not copied on its way, but for what came with its
 * head, and what follows the size of a chunk, which takes the size's place.
 */
export class RequestBody {
  private readonly framing: Framing;
  private buffer: Buffer | undefined;
  private filled = 0;
  private isFirst = true;
  /** Whether it isn't a body by HTTP's rules, so that nobody knows where it ends. */
  isBroken = false;
  private readonly pieces: Uint8Array[] = [];
  private isDropped = false;
  private failure: Error | undefined;
  private uncounted = 0;
  private count: ((bytes: number) => void) | undefined;
  private proceed: (() => void) | undefined;

  /**
   * @param length in bytes; undefined where it comes in chunks
   * @param onWanted is told when more of it may come again
   */
  constructor(
    length: number | undefined,
    private readonly onWanted: () => void,
  ) {
    this.framing = new Framing(length);
  }

  /** Whether all of it has come. */
  get isComplete(): boolean {
    return this.framing.isOver;
  }

  /** Whether there is more than somebody has asked for, and nothing should come until `onWanted`. */
  get isAhead(): boolean {
    return this.pieces.length >= keptPieces;
  }

  /** Where its next bytes are best put, until `receive` has had some; undefined where that doesn't matter. */
  get room(): Buffer | undefined {
    // What comes first may be all there is.
    if (this.isFirst || this.isDropped || this.isAhead || this.isComplete) return undefined;
    return this.current(pieceBytes).subarray(this.filled);
  }

  /**
   * Takes its bytes out of those that came, where `room` said or elsewhere. Returns where the first one is that isn't its own any more;
   * where they can't be told apart, nothing on the connection is anything else any more.
   */
  receive(memory: Buffer, start: number, end: number): number {
    if (this.isBroken) return end;
    try {
      const rest = this.framing.read(memory, start, end, (from, to) => this.take(memory, from, to));
      const { buffer } = this;
      // The first piece may tell that the rest isn't wanted.
      const isDue = this.isFirst || this.isComplete;
      if (buffer !== undefined && (isDue || buffer.length - this.filled < leastRoomBytes)) this.handOn();
      this.countNow();
      if (this.pieces.length > 0 || this.isComplete) this.proceed?.();
      return rest;
    } catch (error) {
      this.isBroken = true;
      this.fail(error as Error);
      return end;
    }
  }

  /** Says that nothing more of it will come. */
  fail(error: Error): void {
    if (this.isComplete) return;
    this.failure ??= error;
    this.proceed?.();
  }

  /** Throws away what came of it and what will. Whoever still reads it fails with `canceled`. */
  drop(): void {
    if (this.isDropped) return;
    this.isDropped = true;
    // The next read may go there still, as `room` said: it is nobody else's.
    this.buffer = undefined;
    this.pieces.length = 0;
    this.failure ??= canceled();
    this.proceed?.();
    this.onWanted();
  }

  /**
   * Its bytes as they come. Fails with `canceled` where it is cut off, `too_slow` where it trickles, `invalid_argument` where its chunks
   * are none. Whoever stops early leaves the connection alone.
   *
   * @param received is told how many bytes have come, as they do
   * @param onStart is called when the first of them are asked for
   */
  async *read(
    incoming: Transfer,
    received: (bytes: number) => void,
    onStart: () => void,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    onStart();
    this.count = (bytes) => {
      incoming.moved(bytes);
      received(bytes);
    };
    this.countNow();
    for (;;) {
      if (this.failure !== undefined) throw this.failure;
      const { isAhead } = this;
      const piece = this.pieces.shift();
      if (piece !== undefined) {
        if (isAhead && !this.isAhead) this.onWanted();
        yield piece;
      } else if (this.isComplete) {
        return;
      } else {
        await incoming.wait(new Promise<void>((resolve) => (this.proceed = resolve)));
        this.proceed = undefined;
      }
    }
  }

  private take(memory: Buffer, from: number, to: number): void {
    this.uncounted += to - from;
    if (this.isDropped) return;
    for (let at = from; at < to;) {
      const buffer = this.current(to - at);
      const end = Math.min(to, at + buffer.length - this.filled);
      memory.copy(buffer, this.filled, at, end);
      this.filled += end - at;
      at = end;
      if (this.filled === buffer.length) this.handOn();
    }
  }

  /** @param coming how many bytes there are for it, as far as one can see */
  private current(coming: number): Buffer {
    return (this.buffer ??= pool.take(this.isFirst ? Math.min(coming, pieceBytes) : pieceBytes));
  }

  private handOn(): void {
    const { buffer, filled } = this;
    if (buffer === undefined) return;
    this.pieces.push(buffer.subarray(0, filled));
    this.isFirst = false;
    this.buffer = undefined;
    this.filled = 0;
  }

  private countNow(): void {
    if (this.count === undefined) return;
    this.count(this.uncounted);
    this.uncounted = 0;
  }
}
