import { StoreError } from '../core/errors.js';

export interface PaceLimits {
  /** Bytes per second that a client has to send or take. */
  readonly minRate: number;
  /** For how long it may be slower, in milliseconds. */
  readonly stallMs: number;
}

const checkEveryMs = 1000;

/**
 * How many stall times a piece may take besides the first. It gets as long as it takes at the minimum rate, but nobody sees how
 * much of it has moved, and a client that takes nothing would keep a large one, and its file, for a quarter of an hour.
 */
const maxPieceStalls = 4;

/**
 * Watches the bytes that clients send and take. A transfer may go on for as long as it likes, at no less than the minimum rate:
 * a total time would cut long uploads, and no limit would let a client that trickles hold on to what it uses. Only the time counts
 * in which the client is waited for: a slow store is not the client's fault.
 */
export class Pace {
  private readonly waiting = new Set<Transfer>();
  private timer: NodeJS.Timeout | undefined;

  /** @param limits may be changed at any time, and count for what is under way as well */
  constructor(
    public limits: PaceLimits,
    private readonly now: () => number = () => performance.now(),
  ) {}

  start(): Transfer {
    return new Transfer(this);
  }

  /** Looks at who is too slow. Called by a timer as long as somebody is waited for. */
  check(): void {
    const now = this.now();
    for (const transfer of this.waiting) transfer.check(now);
    if (this.waiting.size > 0 || this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Only for Transfer. */
  enter(transfer: Transfer): number {
    this.waiting.add(transfer);
    this.timer ??= setInterval(() => this.check(), checkEveryMs).unref();
    return this.now();
  }

  /** Only for Transfer. */
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
   * Waits for the client's part, which is what the clock runs for. Fails with `too_slow` when that takes too long.
   *
   * @param bytes how many will have moved then, where that is known
   */
  async wait<T>(part: Promise<T>, bytes = 0): Promise<T> {
    const { minRate, stallMs } = this.pace.limits;
    this.allowedMs = minRate === 0 ? 0 : Math.min((bytes / minRate) * 1000, maxPieceStalls * stallMs);
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

  /** Says that bytes have come whose number was not known before. */
  moved(bytes: number): void {
    this.bytes += bytes;
  }

  /** Only for Pace: gives up where the transfer is too slow, and starts anew where it isn't. */
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
