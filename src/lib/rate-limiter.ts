import { setTimeout as sleep } from 'node:timers/promises';

/** How many milliseconds of its rate may pass at once after a pause. */
const burstMs = 100;

/**
 * A token bucket: limits how many bytes pass in a second, of all who take from it together, first in, first out. What is taken at once may
 * be more than the bucket holds: those that follow wait for longer then.
 */
export class RateLimiter {
  /** When all that was taken so far will have passed. */
  private paidMs = -Infinity;

  /**
   * @param bytesPerSecond more than 0
   * @param now milliseconds of a clock that never goes back
   */
  constructor(
    private readonly bytesPerSecond: number,
    private readonly now = () => performance.now(),
  ) {}

  /** Resolves when `bytes` more may pass. Rejects with an AbortError if the signal aborts first. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const nowMs = this.now();
    const fromMs = Math.max(this.paidMs, nowMs - burstMs);
    this.paidMs = fromMs + (bytes / this.bytesPerSecond) * 1000;
    if (fromMs > nowMs) await sleep(fromMs - nowMs, undefined, signal && { signal });
    else signal?.throwIfAborted();
  }
}
