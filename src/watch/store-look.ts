import { statAll } from '../core/stat-all.js';
import type { OpContext, Store } from '../core/store.js';
import type { StoreReport } from './store-report.js';

/** A store to look at. */
export interface SurveyedStore {
  readonly store: Store;
  /** How many bytes can still be written on its disk; undefined if unknown. */
  readonly freeBytes: () => Promise<number | undefined>;
  /** The size of its packfiles and states in bytes, where something keeps count of it: resolves once that is known. */
  readonly measuredBytes: ((ctx: OpContext) => Promise<number>) | undefined;
}

export type Found = Pick<StoreReport, 'locks' | 'oldestLockMs' | 'freeBytes'>;

export type Counted = Required<Pick<StoreReport, 'size'>> & Pick<StoreReport, 'newestStateMs'>;

/** Reads CONFIG, and looks at the locks and the free space. Fails with the first error: the store can't be reached then. */
export async function look({ store, freeBytes }: SurveyedStore, ctx: OpContext): Promise<Found> {
  await store.config(ctx);
  ctx.signal.throwIfAborted();
  let locks = 0;
  let oldestLockMs = Infinity;
  for await (const { modifiedMs } of statAll(store, 'lock', ctx)) {
    locks++;
    oldestLockMs = Math.min(oldestLockMs, Math.floor(modifiedMs));
  }
  const free = await freeBytes();
  return { locks, ...(locks > 0 && { oldestLockMs }), ...(free !== undefined && { freeBytes: free }) };
}

/** Counts a store's objects and their bytes. Packfiles are only listed if their size is known already. */
export async function count({ store, measuredBytes }: SurveyedStore, ctx: OpContext): Promise<Counted> {
  let [packfiles, states, bytes, newestStateMs] = [0, 0, 0, -Infinity];
  if (measuredBytes === undefined) {
    for await (const { size } of statAll(store, 'packfile', ctx)) {
      packfiles++;
      bytes += size;
    }
  } else {
    for await (const { length } of store.list('packfile', ctx)) {
      ctx.signal.throwIfAborted();
      packfiles += length;
    }
  }
  for await (const { size, modifiedMs } of statAll(store, 'state', ctx)) {
    states++;
    bytes += size;
    newestStateMs = Math.max(newestStateMs, Math.floor(modifiedMs));
  }
  const size = { packfiles, states, bytes: (await measuredBytes?.(ctx)) ?? bytes };
  return { size, ...(states > 0 && { newestStateMs }) };
}
