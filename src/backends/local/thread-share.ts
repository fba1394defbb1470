import { StoreError } from '../../core/errors.js';
import { Semaphore } from '../../lib/semaphore.js';

/** The threads of Node's pool, which run file operations, unless UV_THREADPOOL_SIZE says otherwise. */
const defaultThreads = 4;

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

/** The shares of all open stores. */
const shares = new Set<ThreadShare>();

let busyThreads = 0;

/**
 * How many threads of the process run an operation of a store. Node ends the process only when they have returned, which those that wait
 * for a disk that doesn't respond may never do.
 */
export function busyFileThreads(): number {
  return busyThreads;
}

/**
 * A store's share of the threads for file operations. An operation on a disk or network file system that doesn't respond holds its thread
 * for as long as it likes, and nothing can end it. So no store gets all threads, and whoever waits for an operation is told after a while.
 */
export class ThreadShare {
  private readonly threads = new Semaphore(1);
  /** The oldest first. */
  private readonly operations = new Set<Operation>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  /**
   * @param poolSize how many threads there are
   * @param now a clock, in milliseconds
   */
  constructor(
    private readonly poolSize = defaultThreads,
    private readonly now: () => number = () => performance.now(),
  ) {
    shares.add(this);
    divide();
  }

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
      void this.threads.run({}, async () => {
        if (!this.operations.has(entry)) return;
        busyThreads++;
        try {
          const result = await operation();
          if (this.operations.delete(entry)) resolve(result);
          else await whenLate(result);
        } catch (error) {
          this.operations.delete(entry);
          reject(error);
        } finally {
          busyThreads--;
        }
      });
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
    shares.delete(this);
    divide();
  }

  /** Sets the number of threads. */
  resize(stores: number): void {
    const available = this.poolSize - Math.min(reserved, this.poolSize / 2);
    this.threads.resize(Math.max(1, Math.min(maxShare, Math.floor(available / stores))));
  }

  private fail(operation: Operation, message: string): void {
    this.operations.delete(operation);
    operation.giveUp(new StoreError('unavailable', message));
  }
}

function divide(): void {
  for (const share of shares) share.resize(shares.size);
}
