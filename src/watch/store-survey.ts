import { canceled, StoreError } from '../core/errors.js';
import type { OpContext } from '../core/store.js';
import type { Logger } from '../lib/logger.js';
import { count, look, type Counted, type Found, type SurveyedStore } from './store-look.js';
import type { StoreReport } from './store-report.js';

export interface StoreSurveyOptions {
  /** Takes what was found. Never fails. */
  readonly report: (report: StoreReport) => void;
  readonly log: Pick<Logger, 'warn'>;
  /** How often stores are looked at, in milliseconds. Default: a minute. */
  readonly everyMs?: number;
  /** How often objects are counted, in milliseconds. Default: an hour. */
  readonly countEveryMs?: number;
  /** After how long without an answer a store can't be reached, in milliseconds. Default: 30 s. */
  readonly limitMs?: number;
}

/** The pause after a count is at least so many times its duration, so that counts of large stores don't run all the time. */
const restFactor = 20;

/** Looks at stores periodically, each one for itself: one that doesn't answer delays no other. */
export class StoreSurvey {
  private readonly running = new Map<string, StoreObservation>();

  constructor(private readonly options: StoreSurveyOptions) {}

  /** Looks at these stores, by name, from now on. Those that it has looked at before and that are the same objects are not disturbed. */
  setStores(stores: ReadonlyMap<string, SurveyedStore>): void {
    for (const [name, observation] of this.running) {
      if (stores.get(name) === observation.target) continue;
      observation.stop();
      this.running.delete(name);
    }
    for (const [name, target] of stores) {
      if (this.running.has(name)) continue;
      const observation = new StoreObservation(name, target, this.options);
      this.running.set(name, observation);
      observation.start();
    }
  }

  /** Looks at no store any more: nothing further is asked of one, and nothing is reported. */
  stop(): void {
    this.setStores(new Map());
  }
}

/** The survey of one store. */
class StoreObservation {
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<Found> | undefined;
  private isCounting = false;
  private countDueMs = -Infinity;
  /** What was counted since the last report. */
  private counted: Counted | undefined;
  private hasWarned = false;
  private readonly stopped = new AbortController();
  private readonly ctx: OpContext = this.stopped;

  constructor(
    private readonly name: string,
    readonly target: SurveyedStore,
    private readonly options: StoreSurveyOptions,
  ) {}

  start(): void {
    void this.lookNow();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.stopped.abort(canceled());
  }

  private async lookNow(): Promise<void> {
    const { everyMs = 60_000, report } = this.options;
    const found = await this.look();
    if (this.ctx.signal.aborted) return;
    report(found);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.lookNow(), everyMs).unref();
    if (found.problem === undefined && performance.now() >= this.countDueMs) void this.countNow();
  }

  private async look(): Promise<StoreReport> {
    const { limitMs = 30_000 } = this.options;
    const about = { store: this.name, timeMs: Date.now() };
    try {
      // One that has not ended yet is waited for again: operations on a store that doesn't answer must not pile up.
      this.looking ??= look(this.target, this.ctx).finally(() => (this.looking = undefined));
      const found = await within(limitMs, this.looking);
      const { counted } = this;
      this.counted = undefined;
      return { ...about, ...found, ...counted };
    } catch (error) {
      return { ...about, problem: StoreError.from(error).message };
    }
  }

  /** Counts, and has the result reported at once. */
  private async countNow(): Promise<void> {
    if (this.isCounting) return;
    this.isCounting = true;
    const { everyMs = 60_000, countEveryMs = 3_600_000, log } = this.options;
    const startMs = performance.now();
    let counted: Counted | undefined;
    try {
      counted = await count(this.target, this.ctx);
    } catch (error) {
      if (!this.hasWarned && !this.ctx.signal.aborted)
        log.warn({ err: error, store: this.name }, "the store's objects can't be counted");
    }
    const endMs = performance.now();
    const pauseMs = counted === undefined ? everyMs : countEveryMs;
    this.countDueMs = endMs + Math.max(pauseMs, restFactor * (endMs - startMs));
    this.isCounting = false;
    this.hasWarned = counted === undefined;
    if (counted === undefined || this.ctx.signal.aborted) return;
    this.counted = counted;
    await this.lookNow();
  }
}

/** Fails with `unavailable` if `work` takes longer than a time in milliseconds; it runs on then. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const tooLong = (): void =>
      reject(new StoreError('unavailable', `the store does not answer within ${ms / 1000} s`));
    timer = setTimeout(tooLong, ms).unref();
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
