import { createHash, type Hash } from 'node:crypto';
import { ifPresent, StoreError } from '../core/errors.js';
import { retried, type Bounds } from '../core/retry.js';
import type { ObjectRead, OpContext } from '../core/store.js';
import type { RateLimiter } from '../lib/rate-limiter.js';
import { Semaphore } from '../lib/semaphore.js';
import { isTemporary, readOnceMore, type Pair } from './failures.js';
import { failingOn, paced, ReadFailure } from './reading.js';
import type { CopiedRef, Difference } from './report.js';

export interface TransferOptions {
  /** How many objects are read at once. */
  readonly jobs: number;
  readonly limiter: RateLimiter | undefined;
  /** Whether what was put is read back and compared. */
  readonly verify: boolean;
  /** Told of bytes as they are passed on, and of as many negative ones if the transfer fails then. */
  readonly progressed: (bytes: number) => void;
  /** How long a transfer is repeated that fails temporarily. */
  readonly bounds: Bounds;
}

/**
 * What became of an object: the destination has it now, the source no longer has it, or why it can't be copied; and its size, 0 if that isn't
 * known.
 */
export type Transferred =
  | { readonly outcome: 'copied'; readonly bytes: number }
  | { readonly outcome: 'vanished' }
  | { readonly outcome: 'differs'; readonly bytes: number; readonly difference: Difference };

/**
 * Copies single objects from one store to another. While the destination makes an object durable, which takes several round trips, the next one
 * is read already: there may be more copies than `jobs` at a time.
 */
export class Transfers {
  private readonly reading: Semaphore;

  constructor(
    private readonly pair: Pair,
    private readonly options: TransferOptions,
    private readonly ctx: OpContext,
  ) {
    this.reading = new Semaphore(options.jobs);
  }

  /** Copies an object, several times where that can help. Fails with a StoreError where this is not about this object alone. */
  async copy(ref: CopiedRef): Promise<Transferred> {
    try {
      return await retried({ ...this.options.bounds, isTemporary: isWorthRepeating }, () => this.attemptInTurn(ref));
    } catch (error) {
      const result = await readOnceMore(this.pair, ref, error, this.ctx, () => this.attemptInTurn(ref));
      return 'outcome' in result ? result : { outcome: 'differs', difference: result, bytes: 0 };
    }
  }

  private async attemptInTurn(ref: CopiedRef): Promise<Transferred> {
    await this.reading.acquire({ signal: this.ctx.signal });
    let isReading = true;
    const endReading = (): void => {
      if (isReading) this.reading.release();
      isReading = false;
    };
    try {
      return await this.attempt(ref, endReading);
    } finally {
      endReading();
    }
  }

  /** @param endReading may be called once nothing more is read */
  private async attempt(ref: CopiedRef, endReading: () => void): Promise<Transferred> {
    const passed = { bytes: 0, of: 0, endReading };
    try {
      const read = await ifPresent(this.pair.source.get(ref, undefined, this.ctx)).catch(failingOn('source'));
      if (read === undefined) return { outcome: 'vanished' };
      passed.of = read.objectSize;
      const hash = this.options.verify ? createHash('sha256') : undefined;
      await this.put(ref, read, passed, hash);
      const difference = hash && (await this.compareBack(ref, hash.digest('hex')));
      return difference === undefined
        ? { outcome: 'copied', bytes: passed.of }
        : { outcome: 'differs', difference, bytes: passed.of };
    } catch (error) {
      this.options.progressed(-passed.bytes);
      const difference = refusal(ref, error);
      if (difference === undefined) throw error;
      return { outcome: 'differs', difference, bytes: passed.of };
    }
  }

  private async put(ref: CopiedRef, read: ObjectRead, passed: Passed, hash: Hash | undefined): Promise<void> {
    let isDone = false;
    try {
      await this.pair.destination.put(ref, this.chunks(read, passed, hash), this.ctx);
      isDone = true;
    } finally {
      read.release(isDone);
    }
  }

  /** The bytes that are read, as the destination's own: copies, since a chunk that was read is valid until the next one only. */
  private async *chunks(
    read: ObjectRead,
    passed: Passed,
    hash: Hash | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of paced(read, 'source', this.options.limiter, this.ctx)) {
      hash?.update(chunk);
      passed.bytes += chunk.length;
      this.options.progressed(chunk.length);
      yield Buffer.from(chunk);
    }
    // What was put is read back later.
    if (hash === undefined) passed.endReading();
  }

  private async compareBack(ref: CopiedRef, digest: string): Promise<Difference | undefined> {
    const read = await this.pair.destination.get(ref, undefined, this.ctx).catch(failingOn('destination'));
    const hash = createHash('sha256');
    try {
      for await (const chunk of paced(read, 'destination', this.options.limiter, this.ctx)) hash.update(chunk);
    } finally {
      read.release(true);
    }
    if (hash.digest('hex') === digest) return undefined;
    return { ref, what: 'bytes', text: 'the destination gives back other bytes than it was given' };
  }
}

/** How much of an object was passed on so far. */
interface Passed {
  bytes: number;
  /** Its size. */
  of: number;
  readonly endReading: () => void;
}

/** An object that vanishes while it is read is not found the next time. */
function isWorthRepeating(error: unknown): boolean {
  return isTemporary(error) || (error instanceof ReadFailure && error.code === 'not_found');
}

/** Why a destination doesn't take an object while it may take others; undefined for all other errors. */
function refusal(ref: CopiedRef, error: unknown): Difference | undefined {
  if (!(error instanceof StoreError) || error instanceof ReadFailure) return undefined;
  const { code, message } = error;
  if (code === 'already_exists') return { ref, what: 'bytes', text: `the destination's has other bytes: ${message}` };
  const isRefused = code === 'invalid_argument' || code === 'too_large';
  return isRefused ? { ref, what: 'refused', text: `the destination refuses it: ${message}` } : undefined;
}
