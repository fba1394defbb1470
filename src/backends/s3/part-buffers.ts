import { StoreError } from '../../core/errors.js';
import { IdleTimer } from '../../lib/idle-timer.js';
import { Semaphore } from '../../lib/semaphore.js';

/** The size of all parts of an upload but the last. S3 asks for 5 MiB at least, R2 for equal sizes. */
export const partBytes = 8 * 1024 * 1024;

/** How long an upload waits for a buffer, and how long a client may take to fill one that others wait for, in milliseconds. */
const defaultTimes: PartBufferTimes = { waitMs: 5 * 60_000, fillMs: 60_000 };

/** How long free buffers are kept, in milliseconds. */
const keptMs = 5000;

export interface PartBufferTimes {
  readonly waitMs: number;
  readonly fillMs: number;
}

/** A buffer for one part of an upload. */
export interface PartBuffer {
  /** `partBytes` of undefined content. */
  readonly bytes: Buffer;
  /** Gives the buffer back, which must not be used any more. Has no effect the second time. */
  release(): void;
}

/**
 * The budget of memory that uploads share. An upload that holds a buffer must not wait in `take` for another one: if all did so, none would
 * go on.
 */
export class PartBuffers {
  /** How many are in use. */
  held = 0;
  private readonly permits: Semaphore;
  /** What is read into buffers and takes its time, the longest first. */
  private readonly slow = new Set<Stoppable>();
  private free: Buffer[] = [];
  private readonly idle = new IdleTimer(keptMs, () => (this.free = []));

  /** @param count how many there are */
  constructor(
    count: number,
    private readonly times = defaultTimes,
  ) {
    this.permits = new Semaphore(count);
  }

  /**
   * Waits for a buffer; those who came first get theirs first. Fails with `canceled` if the signal aborts before there is one, and with
   * `unavailable` if there is none for five minutes.
   */
  async take(signal: AbortSignal): Promise<PartBuffer> {
    const taking = this.permits.acquire({ signal, timeoutMs: this.times.waitMs });
    this.stopSlowest();
    const isTaken = await taking.catch((reason: unknown) => {
      throw StoreError.from(reason);
    });
    if (!isTaken) throw new StoreError('unavailable', 'too many uploads at the moment: try again later');
    return this.granted();
  }

  /**
   * Runs `read`, which fills a buffer from a client. If that takes more than a minute while others wait for a buffer, it stops `source` with
   * `too_slow`.
   */
  async reading<T>(source: Stoppable, read: () => Promise<T>): Promise<T> {
    const { fillMs } = this.times;
    const timer = setTimeout(() => {
      this.slow.add(source);
      this.stopSlowest();
    }, fillMs);
    try {
      return await read();
    } finally {
      clearTimeout(timer);
      this.slow.delete(source);
    }
  }

  /** A buffer, unless all are in use or someone waits for one. */
  tryTake(): PartBuffer | undefined {
    return this.permits.tryAcquire() ? this.granted() : undefined;
  }

  /** For one of those who wait: the others have their turn when they come, or when the next one has become slow. */
  private stopSlowest(): void {
    const [slowest] = this.slow;
    if (slowest === undefined || this.permits.waiting === 0) return;
    this.slow.delete(slowest);
    const part = `${partBytes / 1024 / 1024} MiB in ${this.times.fillMs / 1000} s`;
    slowest.stop(
      new StoreError(
        'too_slow',
        `too slow: less than ${part}, while other uploads waited for memory; try again when there are fewer`,
      ),
    );
  }

  private granted(): PartBuffer {
    this.held++;
    this.idle.used();
    // Its memory is reused: garbage of this size piles up faster than it is collected.
    const bytes = this.free.pop() ?? Buffer.allocUnsafeSlow(partBytes);
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      this.held--;
      this.idle.used();
      this.free.push(bytes);
      this.permits.release();
    };
    return { bytes, release };
  }
}

interface Stoppable {
  stop(reason: StoreError): void;
}

/** The budget of the whole process: 80 MiB. With 128, 64 uploads of 64 MiB at once take it to 320 MiB of memory. */
export const partBuffers = new PartBuffers(10);
