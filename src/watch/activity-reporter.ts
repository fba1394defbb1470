import type { Activity, ActivitySink, ReadTotal } from '../core/activity.js';
import type { AuditEntry } from '../core/audit.js';
import type { RequestObserver, RequestRecord } from '../core/request.js';

/** How long activity is gathered before it is sent, in milliseconds. */
export const gatherMs = 200;

/** With so many entries it is sent at once. */
const maxEntries = 1000;

type Changing<T> = { -readonly [K in keyof T]: T[K] };

/** Gathers what callers do in one process, and sends it in batches, so that a read costs little. */
export class ActivityReporter implements ActivitySink, RequestObserver {
  private entries: AuditEntry[] = [];
  private reads = new Map<string, Changing<ReadTotal>>();
  private traffic = { requests: 0, received: 0, sent: 0 };
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly send: (activity: Activity) => void) {}

  record(entry: AuditEntry): void {
    this.entries.push(entry);
    if (this.entries.length >= maxEntries) this.flush();
    else this.schedule();
  }

  read(store: string, principal: string, address: string, bytes: number): void {
    const key = `${address} ${principal} ${store}`;
    let total = this.reads.get(key);
    if (total === undefined) {
      total = { store, principal, address, reads: 0, bytes: 0, lastMs: 0 };
      this.reads.set(key, total);
      this.schedule();
    }
    total.reads++;
    total.bytes += bytes;
    total.lastMs = Date.now();
  }

  request({ received, sent }: RequestRecord): void {
    this.traffic.requests++;
    this.traffic.received += received;
    this.traffic.sent += sent;
    this.schedule();
  }

  /** Sends what has been gathered. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { entries, reads, traffic } = this;
    if (entries.length === 0 && reads.size === 0 && traffic.requests === 0) return;
    this.entries = [];
    this.reads = new Map();
    this.traffic = { requests: 0, received: 0, sent: 0 };
    this.send({ entries, reads: [...reads.values()], traffic });
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => this.flush(), gatherMs).unref();
  }
}
