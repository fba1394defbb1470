import { lower } from '../core/access.js';
import { ifPresent, StoreError } from '../core/errors.js';
import { MacBatch } from '../core/mac-batch.js';
import { MacSet } from '../core/mac-set.js';
import { formatMoment } from '../core/moment.js';
import type { ObjectKind, ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectRead, ObjectStat, OpContext, PutResult, Store, StoreInfo } from '../core/store.js';
import type { TrashedObject } from '../core/trash.js';
import type { Arrivals } from './arrivals.js';
import { Layer } from './layer.js';
import type { TrashIndex } from './trash-index.js';

export interface AsOfOptions {
  readonly momentMs: number;
  /** Those of the store. */
  readonly arrivals: Arrivals;
  /** That of the store's trash. */
  readonly trash: TrashIndex;
}

/** The most MACs in a batch of what is in the trash. */
const maxListed = 8192;

/**
 * A store decorator that shows the store as it was at a moment, read-only: the states and packfiles that had arrived by then, of which those
 * that were deleted later are read from the trash. An object that was restored is shown as if it had never been deleted. It has no locks,
 * and the CONFIG of now. `close` does nothing: the store may have many views.
 *
 * Objects may be deleted, restored and put meanwhile, by anyone: none is missed, and none gets the bytes of a later one of its name.
 */
export class AsOf extends Layer {
  constructor(
    inner: Store,
    private readonly options: AsOfOptions,
  ) {
    super(inner);
  }

  override info(): StoreInfo {
    const info = this.inner.info();
    return { ...info, access: lower(info.access, 'read-only') };
  }

  override async *list(kind: ObjectKind, ctx: OpContext): AsyncGenerator<MacBatch, void, undefined> {
    if (kind === 'lock') return;
    const { momentMs, arrivals, trash } = this.options;
    // The trash is read before and after the store: what is deleted or restored meanwhile is found in one of the three.
    const first = await trash.read();
    const before = await first.namesAsOf(kind, momentMs, ctx);
    const unlisted = new MacSet(before);
    const listed: MacBatch[] = [];
    for await (const arrived of arrivals.list(kind, momentMs, ctx)) {
      for (const mac of arrived.in(unlisted)) unlisted.delete(mac);
      listed.push(arrived);
      yield arrived;
    }
    const last = await trash.read();
    const deleted = new MacSet();
    if (last !== first)
      for (const mac of await last.namesAsOf(kind, momentMs, ctx)) if (!before.has(mac)) deleted.add(mac);
    for (const macs of listed) for (const mac of macs.in(deleted)) deleted.delete(mac);
    const rest = [...unlisted, ...deleted];
    for (let at = 0; at < rest.length; at += maxListed) yield MacBatch.of(rest.slice(at, at + maxListed));
  }

  override stat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat> {
    return this.find(
      ref,
      ctx,
      () => this.liveStat(ref, ctx),
      async ({ stat }) => stat,
    );
  }

  override get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead> {
    return this.find(
      ref,
      ctx,
      () => this.liveGet(ref, range, ctx),
      ({ object }) => this.options.trash.get(object, range, ctx),
    );
  }

  override put(): Promise<PutResult> {
    return this.refuse();
  }

  override delete(): Promise<void> {
    return this.refuse();
  }

  override async close(): Promise<void> {
    // Nothing is its own.
  }

  /** What one of the functions gives for the object of a name at the moment. Fails with `not_found` if there was none. */
  private async find<T>(
    ref: ObjectRef,
    ctx: OpContext,
    live: () => Promise<T | undefined>,
    trashed: (found: { readonly object: TrashedObject; readonly stat: ObjectStat }) => Promise<T>,
  ): Promise<T> {
    const { trash, momentMs } = this.options;
    if (ref.kind === 'lock') throw this.missing(ref);
    for (const reading of [() => trash.last, () => trash.read()]) {
      const here = await ifPresent(live());
      if (here !== undefined) return here;
      const found = await (await reading())?.find(ref, momentMs, ctx);
      const there = found && (await ifPresent(trashed(found)));
      if (there !== undefined) return there;
    }
    // It may have been restored meanwhile.
    const here = await ifPresent(live());
    if (here !== undefined) return here;
    throw this.missing(ref);
  }

  private async liveStat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat | undefined> {
    const stat = await this.inner.stat(ref, ctx);
    return stat.modifiedMs <= this.options.momentMs ? stat : undefined;
  }

  private async liveGet(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead | undefined> {
    const read = await this.inner.get(ref, range, ctx);
    let isWanted = false;
    try {
      // After the get: what is put in place of an object is newer than the moment, so these are the bytes of the older one.
      isWanted = (await this.liveStat(ref, ctx)) !== undefined;
      return isWanted ? read : undefined;
    } finally {
      if (!isWanted) read.release();
    }
  }

  private async refuse(): Promise<never> {
    const moment = formatMoment(this.options.momentMs);
    throw new StoreError('permission_denied', `this is the store as of ${moment}: it can only be read`);
  }

  private missing({ kind, mac }: ObjectRef): StoreError {
    return new StoreError('not_found', `no ${kind} ${mac} in this store as of ${formatMoment(this.options.momentMs)}`);
  }
}
