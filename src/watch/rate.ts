/** The length of a span whose bytes are counted together, and of the time that a rate is about, in milliseconds. */
const spanMs = 5000;
const windowMs = 60_000;

/** A rate of bytes over the last minute. */
export class Rate {
  /** By the number of the span since 1970. */
  private readonly spans = new Map<number, number>();

  add(ms: number, bytes: number): void {
    if (bytes === 0) return;
    const span = Math.floor(ms / spanMs);
    this.spans.set(span, (this.spans.get(span) ?? 0) + bytes);
    this.forget(ms);
  }

  /** Bytes per second. */
  at(nowMs: number): number {
    this.forget(nowMs);
    const first = Math.min(...this.spans.keys());
    if (first === Infinity) return 0;
    const bytes = [...this.spans.values()].reduce((sum, each) => sum + each, 0);
    return Math.round((bytes * 1000) / Math.max(spanMs, nowMs - first * spanMs));
  }

  private forget(nowMs: number): void {
    const oldest = Math.floor((nowMs - windowMs) / spanMs);
    for (const span of this.spans.keys()) if (span < oldest) this.spans.delete(span);
  }
}
