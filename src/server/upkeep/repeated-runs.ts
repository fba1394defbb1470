/** Times in milliseconds. */
export interface RunTimes {
  /** A run begins so long after something has changed: more may follow. */
  readonly settleMs: number;
  /** The pauses after runs that failed: the first one, which doubles each time, and the longest. */
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
}

/** What tells the time. */
export interface Clock {
  /** In milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** In milliseconds since some moment; never goes back. */
  monotonicMs(): number;
  /** Returns what cancels it. */
  setTimer(run: () => void, ms: number): () => void;
}

export const systemClock: Clock = {
  now: Date.now,
  monotonicMs: () => performance.now(),
  setTimer: (run, ms) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** How long the pause after a run is, at most, in milliseconds; it is as long as the run. What changes meanwhile waits for its end. */
const maxRestMs = 300_000;

export interface RepeatedRunsOptions {
  /** Resolves to whether it has succeeded. Never rejects. */
  readonly run: () => Promise<boolean>;
  /** How often it runs where nothing changes, in milliseconds. */
  readonly everyMs: number;
  readonly times: RunTimes;
  readonly clock: Clock;
}

/**
 * Runs a task again and again, never twice at once: periodically, soon after something has changed, and after a failure in longer and longer
 * pauses, whatever changes meanwhile.
 */
export class RepeatedRuns {
  private cancelTimer: () => void = () => undefined;
  private dueMs = Infinity;
  /** The next run must not begin earlier: runs must not take up all of the time, and one that failed is followed by a pause. */
  private restedMs = -Infinity;
  private running: Promise<void> | undefined;
  private pauseMs: number;
  private isWanted = false;
  private isStopped = false;

  constructor(private readonly options: RepeatedRunsOptions) {
    this.pauseMs = options.times.firstPauseMs;
  }

  /** Has the first run begin after this, which must not reject. */
  start(prepared: Promise<void>): void {
    this.running = prepared.then(() => {
      this.running = undefined;
      this.schedule(0);
    });
  }

  /** Has a run begin soon, as something has changed; after the one that is under way, if there is one. */
  changed(): void {
    if (this.running === undefined) this.schedule(this.options.times.settleMs);
    else this.isWanted = true;
  }

  /** Begins no more runs. Resolves when the one that is under way has ended. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.cancelTimer();
    await this.running;
  }

  /** Has a run begin in so many milliseconds, unless one is to begin earlier. */
  private schedule(inMs: number): void {
    const { clock } = this.options;
    const nowMs = clock.monotonicMs();
    const dueMs = Math.max(nowMs + inMs, this.restedMs);
    if (this.isStopped || dueMs >= this.dueMs) return;
    this.dueMs = dueMs;
    this.cancelTimer();
    this.cancelTimer = clock.setTimer(() => void (this.running = this.run()), dueMs - nowMs);
  }

  private async run(): Promise<void> {
    const { run, everyMs, times, clock } = this.options;
    this.dueMs = Infinity;
    this.isWanted = false;
    const beganMs = clock.monotonicMs();
    const hasSucceeded = await run();
    const endMs = clock.monotonicMs();
    this.running = undefined;
    const restMs = Math.min(endMs - beganMs, maxRestMs);
    if (hasSucceeded) {
      this.restedMs = endMs + restMs;
      this.pauseMs = times.firstPauseMs;
      this.schedule(everyMs);
      if (this.isWanted) this.schedule(times.settleMs);
      return;
    }
    this.restedMs = endMs + Math.max(restMs, Math.min(this.pauseMs, everyMs));
    this.pauseMs = Math.min(2 * this.pauseMs, times.maxPauseMs);
    this.schedule(0);
  }
}
