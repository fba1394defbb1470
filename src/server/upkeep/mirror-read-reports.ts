import type { ObjectRef } from '../../core/object.js';
import type { Loss } from '../../layers/mirrored-reads.js';
import type { Logger } from '../../lib/logger.js';
import { RateLimitedLog } from '../../lib/rate-limited-log.js';
import type { MirrorRead } from '../../watch/mirror-report.js';

/** How often reads from the mirror of one store are told to the watch, in milliseconds: a packfile is read in very many ranges. */
const tellEveryMs = 10_000;

/** Tells the log and the watch of reads that stores' mirrors answered, some of each store's. */
export class MirrorReadReports {
  private readonly log: RateLimitedLog;
  private readonly toldMs = new Map<string, number>();

  constructor(
    log: Pick<Logger, 'warn'>,
    private readonly tell: (read: MirrorRead) => void,
  ) {
    this.log = new RateLimitedLog(log);
  }

  add(store: string, { kind, mac }: ObjectRef, loss: Loss): void {
    this.log.warn(`${store} ${loss}`, { store, kind, mac }, `the ${kind} ${mac} ${loss}, and was read from the mirror`);
    const nowMs = performance.now();
    if (nowMs - (this.toldMs.get(store) ?? -Infinity) < tellEveryMs) return;
    this.toldMs.set(store, nowMs);
    this.tell({ store, kind, mac, loss });
  }
}
