export interface AcquireOptions {
  /** Ends the wait when it aborts: `acquire` then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait, in milliseconds. Default: for ever. */
  readonly timeoutMs?: number | undefined;
  /** How many permits to take. Default: 1. */
  readonly weight?: number | undefined;
}

/**
 * A counting semaphore. Waiters get their permits first in, first out: a light one never overtakes a heavy one. A weight larger than all
 * permits is granted alone, when no permit is held.
 */
export class Semaphore {
  private held = 0;
  /** By insertion order. Created by the first waiter: most semaphores never have one. */
  private queue: Set<Waiter> | undefined;

  /** @param permits how many there are */
  constructor(private permits: number) {}

  /** Whether no permit is held or waited for. */
  get isIdle(): boolean {
    return this.held === 0 && this.waiting === 0;
  }

  /** How many callers wait for permits. */
  get waiting(): number {
    return this.queue?.size ?? 0;
  }

  /** Takes permits if they are available and no one else waits. After true the caller calls `release` once, with the same weight. */
  tryAcquire(weight = 1): boolean {
    if (this.waiting > 0 || !this.hasRoomFor(weight)) return false;
    this.held += weight;
    return true;
  }

  /**
   * Takes permits, and waits for them if necessary. Resolves to false, with nothing taken, if they did not become available within
   * `timeoutMs`; after true the caller calls `release` once, with the same weight. Rejects with the signal's reason if that aborts first.
   */
  async acquire({ signal, timeoutMs = Infinity, weight = 1 }: AcquireOptions = {}): Promise<boolean> {
    signal?.throwIfAborted();
    return this.tryAcquire(weight) || (timeoutMs > 0 && (await this.wait(weight, timeoutMs, signal)));
  }

  /** Gives permits back, to the callers that have waited longest. */
  release(weight = 1): void {
    this.held -= weight;
    this.grantWaiting();
  }

  /** Changes how many permits there are. Those that are held beyond the new number stay so until they are released. */
  resize(permits: number): void {
    this.permits = permits;
    this.grantWaiting();
  }

  /** Runs `task` while holding permits. Rejects with the signal's reason if that aborts before there are any. */
  async run<T>({ signal, weight }: Omit<AcquireOptions, 'timeoutMs'>, task: () => Promise<T>): Promise<T> {
    await this.acquire({ signal, weight });
    try {
      return await task();
    } finally {
      this.release(weight);
    }
  }

  private hasRoomFor(weight: number): boolean {
    return this.held + Math.min(weight, Math.max(this.permits, 1)) <= this.permits;
  }

  private grantWaiting(): void {
    if (this.queue === undefined) return;
    for (const waiter of this.queue) {
      if (!this.hasRoomFor(waiter.weight)) return;
      this.held += waiter.weight;
      waiter.grant();
    }
  }

  private wait(weight: number, timeoutMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    const queue = (this.queue ??= new Set());
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        queue.delete(waiter);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      const giveUp = (settle: () => void): void => {
        leave();
        settle();
        // A heavy waiter may have held up lighter ones.
        this.grantWaiting();
      };
      const waiter: Waiter = {
        weight,
        grant: () => {
          leave();
          resolve(true);
        },
      };
      const abort = (): void => giveUp(() => reject(signal?.reason as Error));
      const expire = (): void => giveUp(() => resolve(false));
      const timer = Number.isFinite(timeoutMs) ? setTimeout(expire, timeoutMs) : undefined;
      signal?.addEventListener('abort', abort, { once: true });
      queue.add(waiter);
    });
  }
}

interface Waiter {
  readonly weight: number;
  readonly grant: () => void;
}
