import type { OpContext } from '../core/store.js';
import type { Health, Readiness, StoreReadiness } from '../frontends/frontend.js';
import type { Logger } from '../lib/logger.js';
import type { OpenedStore } from './stores/store-opener.js';

/** For how long an answer is given to later callers, too, in milliseconds: however often they ask, stores are asked once a second. */
const defaultFreshMs = 1000;

/** A store that takes longer for its CONFIG counts as one that doesn't answer, in milliseconds. */
const defaultLimitMs = 3000;

export interface CheckedStore {
  /** Empty for the default store. */
  readonly name: string;
  readonly opened: Pick<OpenedStore, 'store'>;
  readonly isOptional: boolean;
}

export interface ReadinessCheckOptions {
  /** The stores that are served now. */
  readonly stores: () => readonly CheckedStore[];
  readonly isStopping: () => boolean;
  readonly log: Logger;
  readonly freshMs?: number;
  readonly limitMs?: number;
}

/**
 * Finds out whether the gateway is ready: whether each store answers that isn't optional. Where all of them are optional, one has to answer.
 * The log has a line when that changes.
 */
export class ReadinessCheck implements Health {
  /** The questions that are still open, also those of checks that have ended: a store that hangs is asked no second time. */
  private readonly asking = new Map<CheckedStore['opened'], Promise<string | undefined>>();
  private latest: { readonly result: Promise<Readiness>; endedMs: number } | undefined;
  private wasReady = true;

  constructor(private readonly options: ReadinessCheckOptions) {}

  get isStopping(): boolean {
    return this.options.isStopping();
  }

  readiness(): Promise<Readiness> {
    const { latest } = this;
    const { freshMs = defaultFreshMs } = this.options;
    if (latest !== undefined && performance.now() < latest.endedMs + freshMs) return latest.result;
    const next = { result: this.check(), endedMs: Infinity };
    this.latest = next;
    void next.result.then(() => (next.endedMs = performance.now()));
    return next.result;
  }

  private async check(): Promise<Readiness> {
    const stores = await Promise.all(
      this.options.stores().map(async ({ name, opened, isOptional }): Promise<StoreReadiness> => {
        const problem = await this.problemOf(opened);
        return { name, isOptional, ...(problem !== undefined && { problem }) };
      }),
    );
    const required = stores.filter(({ isOptional }) => !isOptional);
    const answers = ({ problem }: StoreReadiness): boolean => problem === undefined;
    const isReady = required.length > 0 ? required.every(answers) : stores.some(answers);
    this.tell(isReady, stores);
    return { isReady, stores };
  }

  /** Why a store doesn't answer; undefined if it does. */
  private async problemOf(opened: CheckedStore['opened']): Promise<string | undefined> {
    const { limitMs = defaultLimitMs } = this.options;
    let overdue: NodeJS.Timeout | undefined;
    const limit = new Promise<string>((resolve) => {
      overdue = setTimeout(() => resolve(`it has not answered for ${limitMs / 1000} s`), limitMs);
    });
    try {
      return await Promise.race([this.asking.get(opened) ?? this.ask(opened, limitMs), limit]);
    } finally {
      clearTimeout(overdue);
    }
  }

  private ask(opened: CheckedStore['opened'], limitMs: number): Promise<string | undefined> {
    const ctx: OpContext = { signal: AbortSignal.timeout(limitMs) };
    const asked = Promise.resolve()
      .then(() => opened.store.config(ctx))
      .then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
      .finally(() => this.asking.delete(opened));
    this.asking.set(opened, asked);
    return asked;
  }

  private tell(isReady: boolean, stores: readonly StoreReadiness[]): void {
    const { log } = this.options;
    if (isReady === this.wasReady) return;
    this.wasReady = isReady;
    if (isReady) return log.info({}, 'ready again: the stores answer');
    const problems = stores.filter(({ problem }) => problem !== undefined);
    const text = problems.map(({ name, problem }) => `${name === '' ? 'the default store' : name}: ${problem}`);
    log.warn({ stores: problems.map(({ name }) => name) }, `not ready, so /readyz answers 503: ${text.join('; ')}`);
  }
}
