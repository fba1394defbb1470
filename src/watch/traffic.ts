import type { Traffic } from '../core/activity.js';
import type { TrafficMinute } from './status.js';

const minuteMs = 60_000;
const remembered = 60;
const none: TrafficMinute = { requests: 0, received: 0, sent: 0 };

/** The requests of the last hour, by minute. */
export class TrafficHistory {
  /** By the number of the minute since 1970. */
  private readonly byMinute = new Map<number, TrafficMinute>();

  add({ requests, received, sent }: Traffic, nowMs: number): void {
    const minute = Math.floor(nowMs / minuteMs);
    const before = this.byMinute.get(minute) ?? none;
    this.byMinute.set(minute, {
      requests: before.requests + requests,
      received: before.received + received,
      sent: before.sent + sent,
    });
    for (const each of this.byMinute.keys()) if (each <= minute - remembered) this.byMinute.delete(each);
  }

  /** The last 60 minutes, the oldest first; the last one is the current one. */
  minutes(nowMs: number): TrafficMinute[] {
    const first = Math.floor(nowMs / minuteMs) - remembered + 1;
    return Array.from({ length: remembered }, (_, i) => this.byMinute.get(first + i) ?? none);
  }
}
