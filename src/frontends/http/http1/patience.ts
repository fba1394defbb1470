import { lingerMs } from '../stream.js';

export interface Timeouts {
  /** How long the head of a request may take, in milliseconds. */
  readonly headerTimeoutMs: number;
  /** How long a connection may be idle between requests, in milliseconds. */
  readonly idleMs: number;
}

/** What a connection waits for. The end is that of what was answered before it had come, or of all. */
export type Waiting = 'head' | 'next request' | 'request' | 'end';

/** A connection on which nothing moves for so long, in either direction, is dead. In milliseconds. */
const deadMs = 300_000;

/** How long a connection waits for what it waits for. */
export class Patience {
  private waiting: Waiting = 'head';
  private sinceMs = performance.now();

  get waitsFor(): Waiting {
    return this.waiting;
  }

  /** Waits for something, from now on. */
  waitFor(waiting: Waiting): void {
    this.waiting = waiting;
    this.sinceMs = performance.now();
  }

  /** Waits from now on: something moved. */
  moved(): void {
    this.sinceMs = performance.now();
  }

  /**
   * Whether it has waited too long.
   *
   * @param nowMs by the clock of `performance.now`
   * @param isSending whether there is something that the other side has yet to take
   */
  isOver(nowMs: number, { headerTimeoutMs, idleMs }: Timeouts, isSending: boolean): boolean {
    const most: Readonly<Record<Waiting, number>> = {
      head: headerTimeoutMs,
      'next request': idleMs,
      request: deadMs,
      // Whoever is slow to take its answer isn't known to have it yet.
      end: isSending ? deadMs : lingerMs,
    };
    return nowMs - this.sinceMs >= most[this.waiting];
  }
}
