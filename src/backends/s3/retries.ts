import type { RetryStrategyV2 } from '@smithy/types';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { canceled } from '../../core/errors.js';

/** How long a request is repeated after answers that ask for it (503, SlowDown, 500), in milliseconds. */
const busyMs = 60_000;

/** The same without answers: refused or lost connections. */
const lostMs = 10_000;

/** The longest wait between two attempts, in milliseconds. The first ones are shorter. */
const maxDelayMs = 5000;

/** The bounds of the first wait, in milliseconds. */
const firstDelayMs = { busy: 500, lost: 100 };

type Token = Awaited<ReturnType<RetryStrategyV2['acquireInitialRetryToken']>>;

/**
 * Repeats requests by time rather than by number, with a random share of exponential waits, so that a service that asks for fewer requests gets
 * fewer. One that failed without an answer is sent at least twice: an idle connection may have been lost long before. The caller's
 * signal ends the waits.
 */
export class Retries implements RetryStrategyV2 {
  private readonly started = new WeakMap<Token, number>();
  private readonly stopped = new AbortController();

  constructor() {
    // Every wait listens to it.
    setMaxListeners(0, this.stopped.signal);
  }

  /** Whether nothing may be sent any more. */
  get isStopped(): boolean {
    return this.stopped.signal.aborted;
  }

  /** Ends the waits: nothing is repeated or sent from now on. Requests on their way have to be ended by closing their connections. */
  stop(): void {
    this.stopped.abort();
  }

  async acquireInitialRetryToken(): Promise<Token> {
    if (this.isStopped) throw canceled();
    return this.token(performance.now(), 0);
  }

  async refreshRetryTokenForRetry(
    token: Token,
    { error, errorType, retryAfterHint }: Parameters<RetryStrategyV2['refreshRetryTokenForRetry']>[1],
  ): Promise<Token> {
    const started = this.started.get(token) ?? performance.now();
    const count = token.getRetryCount();
    const isBusy = error?.$metadata?.httpStatusCode !== undefined;
    const isWorthIt = errorType === 'THROTTLING' || errorType === 'TRANSIENT';
    const ms = performance.now() - started;
    if (!isWorthIt || (ms > (isBusy ? busyMs : lostMs) && (isBusy || count > 0))) {
      throw error ?? new Error('the request failed');
    }
    const first = isBusy ? firstDelayMs.busy : firstDelayMs.lost;
    const delay = Math.random() * Math.min(first * 2 ** count, maxDelayMs);
    const hint = Math.min((retryAfterHint?.getTime() ?? 0) - Date.now(), busyMs - ms);
    // The SDK could not be kept from sending after a wait of its own.
    await sleep(Math.max(delay, hint), undefined, { signal: this.stopped.signal });
    return this.token(started, count + 1);
  }

  recordSuccess(): void {
    // Requests are repeated without regard to how others fared.
  }

  /** Waits as before the first repeat of a request to a busy service, or until the signal aborts. */
  async waitAsBusy(signal: AbortSignal | undefined): Promise<void> {
    await sleep(Math.random() * firstDelayMs.busy, undefined, signal && { signal }).catch(() => undefined);
  }

  private token(started: number, count: number): Token {
    const token = { getRetryCount: () => count, getRetryDelay: () => 0 };
    this.started.set(token, started);
    return token;
  }
}
