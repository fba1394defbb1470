import { StoreError } from '../core/errors.js';

export interface PaceLimits {
  /** How many bytes per second a client has to send or take. */
  readonly minRate: number;
  /** How long it may be slower, in milliseconds. */
  readonly stallMs: number;
}

const checkEveryMs = 1000;

/**
 * How many stall times a write may take beyond the first. It gets the time that its bytes need at the minimum rate, but its progress
 * can't be observed, and a client that reads nothing would keep a large write, and its file, for a quarter of an hour.
 */
const maxWriteStalls = 4;

/**
 * Enforces a minimum transfer rate. There is no limit of the total time, which would cut long uploads. Only the time spent waiting for
 * the client counts: a slow store is not the client's fault.
 */
export class Pace {
  private readonly waiting = new Set<Transfer>();
  private timer: NodeJS.Timeout | undefined;

  /** @param limits may be changed at any time, also for transfers under way */
  constructor(
    public limits: PaceLimits,
    private readonly now: () => number = () => performance.now(),
  ) {}

  start(): Transfer {
    return new Transfer(this);
  }

  /** Gives up transfers that are too slow. A timer calls it while any transfer waits for its client. */
  check(): void {
    const now = this.now();
    for (const transfer of this.waiting) transfer.check(now);
    if (this.waiting.size > 0 || this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** For Transfer only. */
  enter(transfer: Transfer): number {
    this.waiting.add(transfer);
    this.timer ??= setInterval(() => this.check(), checkEveryMs).unref();
    return this.now();
  }

  /** For Transfer only. */
  leave(transfer: Transfer): number {
    this.waiting.delete(transfer);
    return this.now();
  }
}

/** One direction of one request. */
export class Transfer {
  private bytes = 0;
  private waitedMs = 0;
  private sinceMs = 0;
  private allowedMs = 0;
  private giveUp: ((reason: StoreError) => void) | undefined;

  constructor(private readonly pace: Pace) {}

  /**
   * Waits for something that the client has to do, which is the time that counts. Fails with `too_slow` when it takes too long.
   *
   * @param bytes how many will have moved then, if that is known
   */
  async wait<T>(part: Promise<T>, bytes = 0): Promise<T> {
    const { minRate, stallMs } = this.pace.limits;
    this.allowedMs = minRate === 0 ? 0 : Math.min((bytes / minRate) * 1000, maxWriteStalls * stallMs);
    this.sinceMs = this.pace.enter(this);
    try {
      return await new Promise<T>((resolve, reject) => {
        this.giveUp = reject;
        part.then(resolve, reject);
      });
    } finally {
      this.waitedMs += this.pace.leave(this) - this.sinceMs;
      this.bytes += bytes;
    }
  }

  /** Counts bytes that have arrived. */
  moved(bytes: number): void {
    this.bytes += bytes;
  }

  /** For Pace only: gives up if the transfer is too slow, else starts a new period. */
  check(now: number): void {
    const { minRate, stallMs } = this.pace.limits;
    if (this.waitedMs + now - this.sinceMs < stallMs + this.allowedMs) return;
    if (this.bytes < (minRate * stallMs) / 1000) {
      const text = `too slow: less than ${minRate} bytes a second for ${stallMs / 1000} s`;
      this.giveUp?.(new StoreError('too_slow', text));
      return;
    }
    this.bytes = 0;
    this.waitedMs = 0;
    this.sinceMs = now;
  }
}
