import { inBatches } from '../lib/in-batches.js';
import { mapAhead } from '../lib/map-ahead.js';
import { ifPresent } from './errors.js';
import type { Mac, ObjectKind, ObjectRef } from './object.js';
import type { ObjectStat, OpContext, Store } from './store.js';
import type { Trash, TrashedObject } from './trash.js';

/** How many stat calls run at once unless told otherwise: few, as a scan should not slow down requests. */
const statConcurrency = 8;

/** How many objects of the trash are looked at before more are listed. */
const batchSize = 256;

/**
 * Stats every object of a kind: by one list where that tells it, otherwise few at once. Leaves out those that are deleted meanwhile. Begins no
 * further operation once the signal has aborted, and throws its reason then.
 */
export async function* statAll(
  store: Pick<Store, 'list' | 'listStats' | 'stat'>,
  kind: ObjectKind,
  ctx: OpContext,
  concurrency = statConcurrency,
): AsyncGenerator<ObjectRef & ObjectStat, void, undefined> {
  if (store.listStats !== undefined) {
    for await (const found of store.listStats(kind, ctx)) {
      yield found;
      ctx.signal.throwIfAborted();
    }
    return;
  }
  const statOne = async (mac: Mac): Promise<(ObjectRef & ObjectStat) | undefined> => {
    ctx.signal.throwIfAborted();
    const stat = await ifPresent(store.stat({ kind, mac }, ctx));
    return stat && { kind, mac, ...stat };
  };
  for await (const batch of store.list(kind, ctx)) {
    for await (const found of mapAhead(batch, concurrency, statOne)) if (found !== undefined) yield found;
    ctx.signal.throwIfAborted();
  }
}

/** The same for what is in a trash, as far as it is chosen. Where a list tells it, those that are purged meanwhile are not left out. */
export async function* statTrashed(
  trash: Pick<Trash, 'list' | 'stat'>,
  ctx: OpContext,
  concurrency = statConcurrency,
  isChosen: (object: TrashedObject) => boolean = () => true,
): AsyncGenerator<readonly [TrashedObject, ObjectStat], void, undefined> {
  const statOne = async (object: TrashedObject): Promise<readonly [TrashedObject, ObjectStat] | undefined> => {
    ctx.signal.throwIfAborted();
    const stat = object.stat ?? (await ifPresent(trash.stat(object, ctx)));
    return stat && [object, stat];
  };
  for await (const objects of inBatches(trash.list(ctx), batchSize)) {
    const found = mapAhead(objects.filter(isChosen), concurrency, statOne);
    for await (const each of found) if (each !== undefined) yield each;
  }
}
