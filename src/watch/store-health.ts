import type { EventName } from '../core/event.js';
import type { StoreReport } from './store-report.js';
import { bytesText, storeText } from './wording.js';

export interface HealthLimits {
  /** The disk is nearly full if less than this is free, in bytes; 0: never. */
  readonly warnFreeBytes: number;
  readonly quotaBytes?: number | undefined;
  /** The size of the store's packfiles and states, in bytes, if known. */
  readonly usedBytes?: number | undefined;
}

export interface HealthEvent {
  readonly event: EventName;
  /** A sentence without its end. */
  readonly text: string;
}

/** What has been told of a store. */
interface Health {
  /** How many of the last reports in a row had a problem. */
  readonly problems: number;
  readonly isDiskNearlyFull: boolean;
  readonly isQuotaNearlyUsed: boolean;
}

const healthy: Health = { problems: 0, isDiskNearlyFull: false, isQuotaNearlyUsed: false };

/** A store is unreachable after so many reports of a problem in a row: one alone may be a moment's. */
const problemsUntilUnreachable = 2;

/** The quota is nearly used up if this share of it is left. */
const quotaShareLeft = 0.05;

/** What was low has recovered when it is so many times the limit. */
const recovery = 1.1;

/** Finds in the reports of stores what people should be told, once each time. */
export class StoreHealth {
  private readonly known = new Map<string, Health>();

  /** Takes the next report of a store, and returns what it changes. */
  take(report: StoreReport, limits: HealthLimits): readonly HealthEvent[] {
    const { store, problem, freeBytes } = report;
    const { warnFreeBytes, quotaBytes = Infinity, usedBytes } = limits;
    const before = this.known.get(store) ?? healthy;
    const leftBytes = usedBytes === undefined ? undefined : quotaBytes - usedBytes;
    const after: Health = {
      problems: problem === undefined ? 0 : before.problems + 1,
      isDiskNearlyFull: isLow(before.isDiskNearlyFull, freeBytes, warnFreeBytes),
      // Also at exactly this share.
      isQuotaNearlyUsed:
        quotaBytes < Infinity &&
        isLow(before.isQuotaNearlyUsed, leftBytes, Math.floor(quotaShareLeft * quotaBytes) + 1),
    };
    this.known.set(store, after);
    return this.changes(before, after, report, { quotaBytes, leftBytes });
  }

  private changes(
    before: Health,
    after: Health,
    { store, problem, freeBytes = 0 }: StoreReport,
    { quotaBytes, leftBytes = 0 }: { readonly quotaBytes: number; readonly leftBytes: number | undefined },
  ): HealthEvent[] {
    const who = storeText(store);
    const events: HealthEvent[] = [];
    if (after.problems === problemsUntilUnreachable) {
      events.push({ event: 'store-unreachable', text: `${who} can't be used: ${problem}` });
    }
    if (after.problems === 0 && before.problems >= problemsUntilUnreachable) {
      events.push({ event: 'store-reachable', text: `${who} can be used again` });
    }
    if (after.isDiskNearlyFull && !before.isDiskNearlyFull) {
      events.push({
        event: 'disk-nearly-full',
        text: `the disk of ${who} is nearly full: ${bytesText(freeBytes)} are free`,
      });
    }
    if (after.isQuotaNearlyUsed && !before.isQuotaNearlyUsed) {
      const left = `${bytesText(Math.max(0, leftBytes))} of ${bytesText(quotaBytes)}`;
      events.push({ event: 'disk-nearly-full', text: `the quota of ${who} is nearly used up: ${left} are left` });
    }
    return events;
  }
}

/** Whether a number is below its limit, or was and has not recovered. One that is unknown is what it was. */
function isLow(wasLow: boolean, value: number | undefined, limit: number): boolean {
  return value === undefined ? wasLow : value < limit * (wasLow ? recovery : 1);
}
