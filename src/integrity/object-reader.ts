import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { hasCode, ifPresent, StoreError } from '../core/errors.js';
import type { ObjectRef } from '../core/object.js';
import { retried } from '../core/retry.js';
import type { ObjectRead, OpContext, Store } from '../core/store.js';
import { isTemporary } from '../replication/failures.js';
import type { RateLimiter } from '../lib/rate-limiter.js';
import { SerialQueue } from '../lib/serial-queue.js';
import type { NewMac } from './object-mac.js';
import { ObjectProbe, type Reading } from './object-probe.js';

/** An object that its store has and can't read. */
export interface Unreadable {
  /** Why, for people. */
  readonly reason: string;
}

/** How often an object is tried that can't be read, and the first pause, in milliseconds. */
const maxAttempts = 4;
const firstPauseMs = 250;

/** How much is hashed before other work of the process has its turn: MACs are computed at some 50 MiB a second only. */
const macSliceBytes = 64 * 1024;

export interface ReadOptions {
  /** Undefined: MACs aren't checked. */
  readonly newMac?: NewMac | undefined;
  /** How many bytes of its start are digested by themselves. */
  readonly startBytes?: number | undefined;
}

/** Reads the objects of a store whole. */
export class ObjectReader {
  /** @param limiter limits all readers that share it. Default: no limit */
  constructor(
    private readonly store: Store,
    private readonly limiter?: RateLimiter,
  ) {}

  /**
   * Resolves to undefined if there is no such object. Fails where it isn't the object's fault: the store can't be reached, or refuses the
   * caller.
   */
  async read(ref: ObjectRef, options: ReadOptions, ctx: OpContext): Promise<Reading | Unreadable | undefined> {
    try {
      const bounds = { attempts: maxAttempts, signal: ctx.signal, firstPauseMs, isTemporary };
      return await retried(bounds, () => ifPresent(this.readOnce(ref, options, ctx)));
    } catch (error) {
      if (ctx.signal.aborted || !(hasCode(error, 'unavailable') || hasCode(error, 'internal'))) throw error;
      // A store that can't be read at all isn't damaged.
      await this.store.config(ctx);
      return this.readAgain(ref, options, ctx);
    }
  }

  /** The last attempt, when the store can be reached: it may have been away before. */
  private async readAgain(
    ref: ObjectRef,
    options: ReadOptions,
    ctx: OpContext,
  ): Promise<Reading | Unreadable | undefined> {
    try {
      return await ifPresent(this.readOnce(ref, options, ctx));
    } catch (error) {
      if (ctx.signal.aborted) throw error;
      return { reason: StoreError.from(error).message };
    }
  }

  private async readOnce(ref: ObjectRef, options: ReadOptions, ctx: OpContext): Promise<Reading> {
    const read = await this.store.get(ref, undefined, ctx);
    try {
      const probe = new ObjectProbe(ref, { ...options, objectSize: read.objectSize });
      for await (const chunk of chunksOf(read)) {
        await this.limiter?.take(chunk.length, ctx.signal);
        ctx.signal.throwIfAborted();
        if (options.newMac === undefined) probe.update(chunk);
        else await this.inSlices(chunk, (slice) => probe.update(slice));
      }
      return probe.end();
    } finally {
      read.release();
    }
  }

  /** Where the rate is limited, which is so beside other work, that work gets half of the time. */
  private async inSlices(chunk: Uint8Array, use: (slice: Uint8Array) => void): Promise<void> {
    for (let at = 0; at < chunk.length; at += macSliceBytes) {
      const slice = chunk.subarray(at, at + macSliceBytes);
      if (this.limiter !== undefined) await paced.run(() => useHalfTheTime(() => use(slice)));
      else {
        use(slice);
        await nextTurn();
      }
    }
  }
}

/** All readers of the process share its time. */
const paced = new SerialQueue();

async function useHalfTheTime(work: () => void): Promise<void> {
  const startMs = performance.now();
  work();
  await sleep(performance.now() - startMs);
}

/** The bytes of a read, each chunk until the next one is asked for. */
export async function* chunksOf({ data }: Pick<ObjectRead, 'data'>): AsyncGenerator<Uint8Array, void, undefined> {
  if (data instanceof Uint8Array) yield data;
  else yield* data;
}
