import { ifPresent } from '../../core/errors.js';
import type { OpContext } from '../../core/store.js';
import type { Trash, TrashedObject } from '../../core/trash.js';
import type { RetentionClock } from '../../layers/retention-clock.js';
import { inBatches } from '../../lib/in-batches.js';
import type { Logger } from '../../lib/logger.js';
import { mapAhead } from '../../lib/map-ahead.js';

export interface PurgeOptions {
  readonly trash: Trash;
  /** How long objects stay in the trash, in milliseconds; 0: until an operator purges it. */
  readonly trashMs: number;
  readonly clock: Pick<RetentionClock, 'latestMs' | 'now' | 'momentOf'>;
  /** Called for each object that was removed, with its size in bytes. */
  readonly purged: (object: TrashedObject, bytes: number) => void;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** The store's name, for the log. */
  readonly name: string;
}

/** How many objects are removed at once: few, as requests must not wait for it. */
const concurrency = 8;

/** How many objects are removed before more are listed. */
const batchSize = 256;

/** Removes what has been in the trash for its time, some objects at a time. What can't be removed is logged. Never rejects. */
export async function purge(options: PurgeOptions, ctx: OpContext): Promise<void> {
  const { trash, trashMs, log, name } = options;
  if (trashMs === 0) return;
  let count = 0;
  let failed = 0;
  let first: unknown;
  const fail = (error: unknown): void => {
    if (failed++ === 0) first = error;
  };
  const removeOne = async (object: TrashedObject): Promise<void> => {
    if (ctx.signal.aborted) return;
    try {
      const stat = await ifPresent(trash.stat(object, ctx));
      // Someone else was first, or it was restored.
      if (stat === undefined) return;
      await trash.remove(object);
      options.purged(object, stat.size);
      count++;
    } catch (error) {
      fail(error);
    }
  };
  try {
    for await (const objects of inBatches(due(options, ctx), batchSize)) {
      for await (const each of mapAhead(objects, concurrency, removeOne)) void each;
      if (ctx.signal.aborted) break;
    }
  } catch (error) {
    fail(error);
  }
  if (count > 0) log.info({ store: name, purged: count }, `purged ${count} objects whose time in the trash was up`);
  if (failed > 0 && !ctx.signal.aborted)
    log.warn({ err: first, store: name, failed }, "the trash can't be purged, or not all of it");
}

/** More than the names of the trash's folders and files may differ, in milliseconds. */
const marginMs = 24 * 3_600_000;

/** What has been in the trash for its time. */
async function* due({ trash, trashMs, clock }: PurgeOptions, ctx: OpContext): AsyncGenerator<TrashedObject, void> {
  for await (const object of trash.list(ctx, clock.latestMs - trashMs + marginMs)) {
    if (ctx.signal.aborted) return;
    const { deletedMs } = object;
    // By the latest time that it can be, first: a closer look may take long.
    if (deletedMs + trashMs > clock.latestMs) continue;
    const nowMs = await clock.now();
    if (clock.momentOf(deletedMs) + trashMs <= nowMs) yield object;
  }
}
