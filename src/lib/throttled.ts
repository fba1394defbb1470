/** Calls a function at most so often, however often that is asked for: at once or a little later, but never too late by more than the interval. */
export class Throttled {
  private calledMs = -Infinity;
  private timer: NodeJS.Timeout | undefined;

  /** @param everyMs the least time between two calls that `soon` causes, in milliseconds */
  constructor(
    private readonly call: () => void,
    private readonly everyMs: number,
  ) {}

  /** Has it called, as soon as that may be. */
  soon(): void {
    const inMs = Math.max(0, this.calledMs + this.everyMs - performance.now());
    this.timer ??= setTimeout(() => this.now(), inMs).unref();
  }

  /** Calls it now. */
  now(): void {
    this.stop();
    this.calledMs = performance.now();
    this.call();
  }

  /** Forgets a call that is still to come. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
