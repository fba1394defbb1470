import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../lib/logger.js';
import type { WatchEvent } from '../core/event.js';
import { DeliveryFailure, trySend, type Target } from './target.js';

/** An event that waits to be sent. */
export interface Queued {
  readonly event: WatchEvent;
  /** Since when, in milliseconds since 1970-01-01 UTC. */
  readonly sinceMs: number;
}

/** What is tried, and for how long: times in milliseconds. */
export interface DeliveryLimits {
  /** The pause after the first failure; it doubles with each further one. */
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
  /** How long an event is tried for. */
  readonly keepMs: number;
  /** The same, if it is this event that the receiver doesn't take: later ones wait for it. */
  readonly keepRefusedMs: number;
  /** How long an attempt may go on at a stop. */
  readonly graceMs: number;
  /** How many events may wait for a target. */
  readonly maxQueued: number;
}

export const standardLimits: DeliveryLimits = {
  firstPauseMs: 1000,
  maxPauseMs: 300_000,
  keepMs: 3 * 86_400_000,
  keepRefusedMs: 3_600_000,
  graceMs: 1000,
  maxQueued: 1000,
};

export type Outcome = 'sent' | 'failed' | 'dropped';

export interface QueueOptions {
  readonly log: Logger;
  readonly now: () => number;
  readonly limits: DeliveryLimits;
  /** Called for each attempt, and for each event that is given up. */
  readonly onOutcome: (outcome: Outcome) => void;
  /** Called after the queue has changed; resolves when that is kept, or can't be. */
  readonly save: () => Promise<void>;
}

/** Sends events to a target: one at a time, in their order, each until it is taken or given up. */
export class DeliveryQueue {
  private entries: readonly Queued[] = [];
  /** How many attempts have failed since the last one that succeeded. */
  private failures = 0;
  private isOverflowing = false;
  private isStopped = false;
  private running: Promise<void> | undefined;
  private attempt = new AbortController();
  private pause = new AbortController();

  constructor(
    private target: Target,
    private readonly options: QueueOptions,
  ) {}

  /** What waits, the oldest first, with what is being sent. */
  get waiting(): readonly Queued[] {
    return this.entries;
  }

  add(entries: readonly Queued[]): void {
    const all = [...this.entries, ...entries];
    this.entries = all.slice(-this.options.limits.maxQueued);
    for (let i = this.entries.length; i < all.length; i++) this.overflowed();
    if (this.entries.length > 0 && !this.isStopped) this.running ??= this.run();
  }

  /** Sends to another target from now on, and at once. */
  sendTo(target: Target): void {
    this.target = target;
    this.failures = 0;
    this.pause.abort();
  }

  /** Sends no more; an attempt that is under way has a moment to end. What is left goes on waiting. Never rejects. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.pause.abort();
    const giveUp = (): void => this.attempt.abort(new Error('the gateway stops'));
    const timer = setTimeout(giveUp, this.options.limits.graceMs);
    await this.running;
    clearTimeout(timer);
  }

  private async run(): Promise<void> {
    for (let [entry] = this.entries; entry !== undefined && !this.isStopped; [entry] = this.entries) {
      this.attempt = new AbortController();
      const result = await trySend(this.target, entry.event, this.attempt);
      const hasFailed = result instanceof DeliveryFailure;
      if (!hasFailed) this.sent(entry);
      else if (!this.isStopped) this.failed(entry, result);
      // Before the next one is sent, so that no restart repeats more than one.
      if (this.entries[0] !== entry) await this.options.save();
      if (hasFailed) await this.wait();
    }
    this.running = undefined;
  }

  private sent(entry: Queued): void {
    this.remove(entry);
    if (this.failures > 0) {
      const { length } = this.entries;
      this.options.log.info({ target: this.target.title, waiting: length }, 'notifications can be sent again');
    }
    this.failures = 0;
    this.isOverflowing = false;
    this.options.onOutcome('sent');
  }

  private failed(entry: Queued, { message, isAboutEvent }: DeliveryFailure): void {
    const { log, now, limits, onOutcome } = this.options;
    const { title: target } = this.target;
    onOutcome('failed');
    if (this.failures++ === 0) {
      log.warn({ target, reason: message }, "a notification can't be sent, and is sent again until it is taken");
    }
    if (now() - entry.sinceMs < (isAboutEvent ? limits.keepRefusedMs : limits.keepMs)) return;
    const { id, event } = entry.event;
    log.error({ target, reason: message, id, event }, "a notification couldn't be sent for too long, and is dropped");
    onOutcome('dropped');
    this.remove(entry);
  }

  private async wait(): Promise<void> {
    const { firstPauseMs, maxPauseMs } = this.options.limits;
    const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** (this.failures - 1)) * (0.5 + Math.random() / 2);
    this.pause = new AbortController();
    if (this.isStopped || this.failures === 0) return;
    await sleep(pauseMs, undefined, { signal: this.pause.signal, ref: false }).catch(() => undefined);
  }

  private overflowed(): void {
    if (!this.isOverflowing) {
      const message = `more than ${this.options.limits.maxQueued} notifications wait to be sent: the oldest are dropped`;
      this.options.log.error({ target: this.target.title }, message);
    }
    this.isOverflowing = true;
    this.options.onOutcome('dropped');
  }

  private remove(entry: Queued): void {
    this.entries = this.entries.filter((each) => each !== entry);
  }
}
