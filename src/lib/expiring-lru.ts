export interface ExpiringLruOptions {
  /** How many entries are kept; the least recently set one is dropped first. */
  readonly maxEntries: number;
  /** How long an entry is kept after it was set, in milliseconds. */
  readonly ttlMs: number;
  /** A clock, in milliseconds. */
  readonly now: () => number;
}

/** A bounded map whose entries expire. */
export class ExpiringLru<T> {
  /** The least recently set entry first. */
  private readonly entries = new Map<string, { readonly value: T; readonly setMs: number }>();

  constructor(private readonly options: ExpiringLruOptions) {}

  get(key: string): T | undefined {
    const entry = this.entries.get(key);
    return entry !== undefined && this.isFresh(entry.setMs) ? entry.value : undefined;
  }

  set(key: string, value: T): void {
    this.entries.delete(key);
    this.entries.set(key, { value, setMs: this.options.now() });
    for (const [oldest, { setMs }] of this.entries) {
      if (this.isFresh(setMs) && this.entries.size <= this.options.maxEntries) break;
      this.entries.delete(oldest);
    }
  }

  private isFresh(setMs: number): boolean {
    return isWithin(this.options.ttlMs, setMs, this.options.now());
  }
}

/** Whether `timeMs` is at most `ms` milliseconds ago. False for a time in the future, as after the clock was set back. */
export function isWithin(ms: number, timeMs: number, nowMs: number): boolean {
  return timeMs <= nowMs && nowMs < timeMs + ms;
}
