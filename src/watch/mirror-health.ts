import type { MirrorConfig, StoreConfig } from '../config/types.js';
import type { HealthEvent } from './store-health.js';
import type { MirrorReport } from './mirror-report.js';
import type { MirrorStatus } from './status.js';
import { bytesText, durationText, storeText } from './wording.js';

export interface MirrorEvent extends HealthEvent {
  readonly store: string;
}

interface KnownMirror {
  config: Pick<MirrorConfig, 'direction' | 'lagMs'>;
  /** Since when it is watched, in milliseconds since 1970-01-01 UTC. */
  readonly sinceMs: number;
  report: MirrorReport | undefined;
  /** Whether a run has come to its end since then. */
  hasRun: boolean;
  /** Whether people were told that it is behind. */
  isBehind: boolean;
}

/** What is known of the second copies of stores, and what people should be told of them, once each time. */
export class MirrorHealth {
  private readonly known = new Map<string, KnownMirror>();

  /** Sets which stores have a second copy. What is known of those that have one still stays. */
  configure(stores: ReadonlyMap<string, Pick<StoreConfig, 'mirror'>>, nowMs: number): void {
    for (const name of this.known.keys()) if (stores.get(name)?.mirror === undefined) this.known.delete(name);
    for (const [name, { mirror }] of stores) {
      if (mirror === undefined) continue;
      const known = this.known.get(name);
      if (known !== undefined) known.config = mirror;
      else this.known.set(name, { config: mirror, sinceMs: nowMs, report: undefined, hasRun: false, isBehind: false });
    }
  }

  take(report: MirrorReport): void {
    const known = this.known.get(report.store);
    if (known === undefined) return;
    known.report = report;
    known.hasRun ||= report.outcome !== undefined;
  }

  /** What has changed: second copies that have been incomplete for too long, and those that have caught up. */
  changes(nowMs: number): readonly MirrorEvent[] {
    const events: MirrorEvent[] = [];
    for (const [store, known] of this.known) {
      const lagMs = lagOf(known, nowMs);
      const isBehind = isTooFarBehind(known, nowMs);
      if (isBehind === known.isBehind) continue;
      known.isBehind = isBehind;
      const who = mirrorText(store, known);
      const text = isBehind
        ? `${who} has been behind for ${durationText(lagMs)}${reason(known.report)}`
        : `${who} has caught up`;
      events.push({ store, event: isBehind ? 'mirror-behind' : 'mirror-caught-up', text });
    }
    return events;
  }

  /** Undefined if the store has no second copy. */
  status(store: string, nowMs: number): MirrorStatus | undefined {
    const known = this.known.get(store);
    if (known === undefined) return undefined;
    const { config, report } = known;
    const lagMs = lagOf(known, nowMs);
    const { missing, lastSuccessMs, problem } = report ?? {};
    return {
      direction: config.direction,
      lagMs,
      isBehind: isTooFarBehind(known, nowMs),
      ...(missing && { missingObjects: missing.objects, missingBytes: missing.bytes }),
      ...(lastSuccessMs !== undefined && { lastSuccessMs }),
      ...(problem !== undefined && { problem }),
    };
  }
}

function lagOf({ report, sinceMs }: KnownMirror, nowMs: number): number {
  return Math.max(0, nowMs - (report?.completeAsOfMs ?? report?.beganMs ?? sinceMs));
}

/** What was missed while the gateway was off counts only once a run could have copied it. */
function isTooFarBehind(known: KnownMirror, nowMs: number): boolean {
  const { lagMs } = known.config;
  return lagOf(known, nowMs) > lagMs && (known.hasRun || nowMs - known.sinceMs > lagMs);
}

function mirrorText(store: string, { config }: KnownMirror): string {
  const who = storeText(store);
  return config.direction === 'to' ? `the mirror of ${who}` : `${who}, which is a mirror,`;
}

function reason({ missing, problem }: Partial<MirrorReport> = {}): string {
  const lacks = missing !== undefined && missing.objects > 0;
  const parts = [
    lacks &&
      `${missing.objects === 1 ? '1 object' : `${missing.objects} objects`} (${bytesText(missing.bytes)}) to copy`,
    problem !== undefined && `the last run failed: ${problem}`,
  ].filter(Boolean);
  return parts.length === 0 ? '' : `: ${parts.join('; ')}`;
}
