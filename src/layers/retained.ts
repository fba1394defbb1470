import { hasCode, ifPresent, StoreError } from '../core/errors.js';
import { formatMoment } from '../core/moment.js';
import type { ObjectRef } from '../core/object.js';
import type { OpContext, PutResult, Store, StoreInfo } from '../core/store.js';
import { formatDuration } from '../lib/format-duration.js';
import { Layer } from './layer.js';
import type { RetentionClock } from './retention-clock.js';

/** For how long a store keeps packfiles and states, in milliseconds. */
export interface KeepingTimes {
  /** In the store; 0: as callers like. */
  readonly retentionMs: number;
  /** In its trash; 0: it has none. */
  readonly trashMs: number;
}

const minuteMs = 60_000;

/**
 * A store decorator that refuses all callers to delete packfiles and states before the retention is over, and, where deletes go to a trash,
 * while the clock must be wrong: they would be purged too early. There is one for each store, inside the per-caller layers.
 */
export class Retained extends Layer {
  /** @param refused is told of each delete that is refused */
  constructor(
    inner: Store,
    private readonly clock: RetentionClock,
    public times: KeepingTimes,
    private readonly refused: () => void = () => undefined,
  ) {
    super(inner);
  }

  override info(): StoreInfo {
    const info = this.inner.info();
    const { retentionMs, trashMs } = this.times;
    return {
      ...info,
      retentionMs: Math.max(info.retentionMs, retentionMs),
      trashMs: Math.max(info.trashMs, trashMs),
    };
  }

  override async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    const result = await this.inner.put(ref, body, ctx);
    this.clock.compare();
    return result;
  }

  override async delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    const { retentionMs, trashMs } = this.times;
    if (ref.kind !== 'lock' && retentionMs > 0) {
      const stat = await ifPresent(this.inner.stat(ref, ctx));
      // An object that arrives now has to stay. If another delete is under way, a power cut may still bring the object back, which loses nothing.
      if (stat === undefined) return;
      await this.counted(this.requireOld(ref, stat.modifiedMs));
    } else if (ref.kind !== 'lock' && trashMs > 0) await this.counted(this.clock.now());
    await this.inner.delete(ref, ctx);
  }

  /** Tells of it if a delete is refused. */
  private async counted(check: Promise<unknown>): Promise<void> {
    try {
      await check;
    } catch (error) {
      if (hasCode(error, 'permission_denied')) this.refused();
      throw error;
    }
  }

  private async requireOld({ kind }: ObjectRef, modifiedMs: number): Promise<void> {
    const { retentionMs } = this.times;
    const { clock } = this;
    let untilMs = modifiedMs + retentionMs;
    if (untilMs <= clock.latestMs) {
      const nowMs = await clock.now();
      untilMs = clock.momentOf(modifiedMs) + retentionMs;
      if (untilMs <= nowMs) return;
      // By the gateway's clock, where another time counts.
      untilMs += clock.latestMs - nowMs;
    }
    throw new StoreError(
      'permission_denied',
      `this ${kind} is kept until ${formatMoment(Math.ceil(untilMs / minuteMs) * minuteMs)}: this store's retention is ` +
        formatDuration(retentionMs),
    );
  }
}
