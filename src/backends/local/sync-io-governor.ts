/** How many operations go to the thread pool after slow ones: doubled each time, up to the maximum. */
const minPenalty = 8;
const maxPenalty = 512;

/** This many quick operations in a row reset the penalty. */
const recoveryStreak = 64;

/**
 * Each slow operation adds 1 to the slowness, each quick one multiplies it by `decay`. Above `tolerance`, after two slow ones in close
 * succession, the thread pool is used. A single slow one may be the scheduler's doing.
 */
const decay = 0.8;
const tolerance = 1.5;

/**
 * Decides whether small reads run on the event loop or in the thread pool. While the system answers from memory they run on the event
 * loop, which takes a third to a tenth of the time; when it is slow they go to the thread pool, so that they block nothing else, and the
 * event loop is tried again later. Measured: as good as the better of the two, with a hot and a cold cache.
 */
export class SyncIoGovernor {
  private penalty = minPenalty;
  /** How many of the next operations go to the thread pool. */
  private remainingInPool = 0;
  private quickStreak = 0;
  private slowness = 0;

  /** @param now a clock, in milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /**
   * Runs one of two implementations of the same operation.
   *
   * @param quickMs how long it takes at most if the system has everything in memory, in milliseconds
   */
  async run<T>(onEventLoop: () => T, inThreadPool: () => Promise<T>, quickMs: number): Promise<T> {
    if (this.remainingInPool > 0) {
      this.remainingInPool--;
      return inThreadPool();
    }
    const start = this.now();
    try {
      return onEventLoop();
    } finally {
      this.record(this.now() - start <= quickMs);
    }
  }

  private record(wasQuick: boolean): void {
    if (wasQuick) {
      this.slowness *= decay;
      if (++this.quickStreak >= recoveryStreak) this.penalty = minPenalty;
      return;
    }
    this.quickStreak = 0;
    this.slowness++;
    if (this.slowness <= tolerance) return;
    this.slowness = 1;
    this.remainingInPool = this.penalty;
    this.penalty = Math.min(this.penalty * 2, maxPenalty);
  }
}
