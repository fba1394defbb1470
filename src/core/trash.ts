import type { ObjectRef } from './object.js';
import type { ByteRange } from './range.js';
import type { ObjectRead, ObjectStat, OpContext } from './store.js';

/** An object in the trash. The same name can be there several times. */
export interface TrashedObject {
  readonly ref: ObjectRef;
  /** When it was deleted, in milliseconds since 1970-01-01 UTC. */
  readonly deletedMs: number;
  /** Names it uniquely in its trash. */
  readonly id: string;
  /** What `stat` says, where a list tells it. */
  readonly stat?: ObjectStat;
}

/**
 * Where a store keeps what was deleted, until it is purged. Clients don't see it. It can be used beside running gateways. Operations fail
 * with StoreErrors only; `not_found` if the object is no longer there.
 */
export interface Trash {
  /** How often it should be listed at most to find what has to be purged, in milliseconds, as a list is expensive. Default: as often as wanted. */
  readonly purgeEveryMs?: number | undefined;

  /**
   * Everything in it, in no particular order. Foreign names are skipped.
   *
   * @param deletedBeforeMs what was deleted later may be left out; in milliseconds since 1970-01-01 UTC
   */
  list(ctx: OpContext, deletedBeforeMs?: number): AsyncIterable<TrashedObject>;

  /** A token that changes with every change of the trash's contents, also by other processes. Undefined if there is no such token. */
  version?(ctx: OpContext): Promise<string | undefined>;

  /** As Store.stat: `modifiedMs` is when the object had arrived in the store. */
  stat(object: TrashedObject, ctx: OpContext): Promise<ObjectStat>;

  /** As OpenedStore.firstArrival. */
  firstArrival?(object: TrashedObject, ctx: OpContext): Promise<number | undefined>;

  /** As Store.get. */
  get(object: TrashedObject, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead>;

  /** Moves an object into the trash, as a delete does where the store has a trash. Idempotent: succeeds if the store doesn't have it. */
  discard(ref: ObjectRef, ctx?: OpContext): Promise<void>;

  /**
   * Moves an object back into the store, with the time of its arrival where that is possible. Never replaces one that is there: resolves to false then, and leaves
   * it in the trash.
   */
  restore(object: TrashedObject): Promise<boolean>;

  /** Removes an object for good. Idempotent. */
  remove(object: TrashedObject): Promise<void>;
}
