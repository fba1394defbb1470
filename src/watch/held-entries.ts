import type { AuditEntry } from '../core/audit.js';

/** Brings what several processes tell into the order of its times: holds it back until nothing older can come. */
export class HeldEntries {
  private held: AuditEntry[] = [];
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param holdMs how long an operation is held back, in milliseconds; 0: not at all
   * @param take takes each operation in its turn
   */
  constructor(
    private readonly holdMs: number,
    private readonly take: (entry: AuditEntry) => void,
  ) {}

  add(entries: readonly AuditEntry[]): void {
    this.held.push(...entries);
    this.release(Date.now() - this.holdMs);
  }

  /** Lets everything go that is held. */
  flush(): void {
    this.release(Infinity);
  }

  private release(untilMs: number): void {
    const isDue = ({ time }: AuditEntry): boolean => Date.parse(time) <= untilMs;
    const due = this.held.filter(isDue);
    this.held = this.held.filter((entry) => !isDue(entry));
    clearTimeout(this.timer);
    if (this.held.length > 0)
      this.timer = setTimeout(() => this.release(Date.now() - this.holdMs), this.holdMs).unref();
    // ISO 8601, so that the order of the texts is that of the times. Those of one moment keep their order.
    for (const entry of due.sort((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time)))) this.take(entry);
  }
}
