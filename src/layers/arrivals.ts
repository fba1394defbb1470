import { ifPresent } from '../core/errors.js';
import { MacBatch } from '../core/mac-batch.js';
import type { Mac, ObjectKind } from '../core/object.js';
import type { OpContext, Store } from '../core/store.js';
import { forEachAhead } from '../lib/for-each-ahead.js';
import { inBatches } from '../lib/in-batches.js';

/** How many stats run at once for each list. */
const statsAhead = 32;

/** How many MACs a batch has of a list that tells times. */
const batchSize = 8192;

/**
 * Knows when the objects of a store arrived: their modification times. Times of states and packfiles only: locks are replaced.
 *
 * Times are kept as long as the store's lists give the same batch, which proves that nothing in it has changed. Of any other batch all
 * objects are asked for, also those whose names were there before: they may have been deleted and put again, by anyone.
 */
export class Arrivals {
  /** 8 bytes for each object, beside the 67 of the batch, and no longer than that. */
  private readonly known = new WeakMap<MacBatch, Float64Array>();

  constructor(private readonly store: Pick<Store, 'list' | 'listStats' | 'stat'>) {}

  /** As Store.list, what had arrived by a moment: by the list itself where that tells times. */
  async *list(kind: ObjectKind, momentMs: number, ctx: OpContext): AsyncGenerator<MacBatch, void, undefined> {
    const { store } = this;
    if (store.listStats !== undefined) {
      const arrived = arrivedBy(momentMs, store.listStats(kind, ctx));
      for await (const macs of inBatches(arrived, batchSize)) yield MacBatch.of(macs);
      return;
    }
    for await (const macs of store.list(kind, ctx)) {
      const times = await this.of(kind, macs, ctx);
      const arrived = macs.filter((index) => (times[index] ?? Infinity) <= momentMs);
      if (arrived.length > 0) yield arrived;
    }
  }

  /** The times of the objects of a batch of the store's list, in milliseconds since 1970-01-01 UTC; Infinity for those that are gone meanwhile. */
  private async of(kind: ObjectKind, macs: MacBatch, ctx: OpContext): Promise<Float64Array> {
    const known = this.known.get(macs);
    if (known !== undefined) return known;
    const times = new Float64Array(macs.length).fill(Infinity);
    let next = 0;
    await forEachAhead(macs, statsAhead, async (mac) => {
      const index = next++;
      ctx.signal.throwIfAborted();
      times[index] = (await ifPresent(this.store.stat({ kind, mac }, ctx)))?.modifiedMs ?? Infinity;
    });
    this.known.set(macs, times);
    return times;
  }
}

async function* arrivedBy(
  momentMs: number,
  objects: ReturnType<NonNullable<Store['listStats']>>,
): AsyncGenerator<Mac, void, undefined> {
  for await (const { mac, modifiedMs } of objects) if (modifiedMs <= momentMs) yield mac;
}
