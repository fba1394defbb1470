import { StoreError } from '../../core/errors.js';
import { Semaphore } from '../../lib/semaphore.js';

/** The threads of a store at most. */
const maxShare = 4;

/** The threads that no store gets: for the log, name lookups and configuration files. */
const reserved = 4;

/** How long an operation may take, in milliseconds: as long as a file server behind SFTP may. */
const timeoutMs = 60_000;

/** The same once the store is closed, when uploads are still removing their temporary files. */
const closedTimeoutMs = 1000;

const checkEveryMs = 250;

interface Operation {
  readonly startedMs: number;
  readonly giveUp: (reason: StoreError) => void;
}

/** The threads for file operations, which the stores of the process share. */
export class FileThreads {
  /**
   * How many threads run an operation of a store. Node ends the process only when they have returned, which those that wait for a disk
   * that doesn't respond may never do.
   */
  busy = 0;
  private readonly shares = new Set<ThreadShare>();

  /** @param size how many threads there are */
  constructor(public size: number) {}

  /** The share of one more store. */
  share(now?: () => number): ThreadShare {
    const share: ThreadShare = new ThreadShare(
      (change) => (this.busy += change),
      () => {
        this.shares.delete(share);
        this.divide();
      },
      now,
    );
    this.shares.add(share);
    this.divide();
    return share;
  }

  private divide(): void {
    const available = this.size - Math.min(reserved, this.size / 2);
    const threads = Math.max(1, Math.min(maxShare, Math.floor(available / this.shares.size)));
    for (const share of this.shares) share.threads.resize(threads);
  }
}

/** Those of the process. Their number is UV_THREADPOOL_SIZE, or 4. */
export const fileThreads = new FileThreads(4);

/**
 * A store's share of the threads for file operations. An operation on a disk or network file system that doesn't respond blocks its thread
 * indefinitely, and can't be canceled. So no store may use all threads, and an operation that takes too long fails.
 */
export class ThreadShare {
  /** Only FileThreads changes how many there are. */
  readonly threads = new Semaphore(1);
  /** The oldest first. */
  private readonly operations = new Set<Operation>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  /** For FileThreads only. */
  constructor(
    private readonly count: (change: 1 | -1) => void,
    private readonly onClose: () => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Runs an operation when one of the share's threads is free. Fails with `unavailable` if it hasn't ended within a minute, the wait for
   * a thread included. It may end later.
   *
   * @param whenLate is given what came of it then
   */
  run<T>(operation: () => Promise<T>, whenLate: (result: T) => unknown = () => undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const entry: Operation = { startedMs: this.now(), giveUp: reject };
      this.operations.add(entry);
      this.timer ??= setInterval(() => this.check(), checkEveryMs).unref();
      const start = async (): Promise<void> => {
        this.count(1);
        try {
          const result = await operation();
          if (this.operations.delete(entry)) resolve(result);
          else await whenLate(result);
        } catch (error) {
          this.operations.delete(entry);
          reject(error);
        }
        this.count(-1);
        this.threads.release();
      };
      if (this.threads.tryAcquire()) return void start();
      // It may be given up while it waits.
      void this.threads.acquire().then(() => (this.operations.has(entry) ? start() : this.threads.release()));
    });
  }

  /** Fails the operations that have taken too long. A timer calls it. */
  check(): void {
    const limitMs = this.isClosed ? closedTimeoutMs : timeoutMs;
    for (const operation of this.operations) {
      if (this.now() - operation.startedMs < limitMs) return;
      this.fail(operation, "the store's disk doesn't respond: try again later");
    }
    if (this.operations.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Fails all operations, and leaves the threads to the other stores. */
  close(): void {
    this.isClosed = true;
    for (const operation of this.operations) this.fail(operation, 'the store is being closed');
    this.onClose();
  }

  private fail(operation: Operation, message: string): void {
    this.operations.delete(operation);
    operation.giveUp(new StoreError('unavailable', message));
  }
}
