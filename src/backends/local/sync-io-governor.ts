/** An operation that takes longer than this on the event loop had to wait for the disk, in milliseconds. */
const slowMs = 0.2;

/** This many operations after a slow one run in the thread pool. */
const penalty = 64;

/**
 * Decides whether small reads run on the event loop or in the thread pool. What the system has in memory is read on the event loop, which
 * takes a quarter of a restore's CPU time less; after a slow read they run in the thread pool, so that a busy disk blocks nothing else.
 * Only for file systems on this machine's disks: a read from a server that doesn't respond would block the process.
 */
export class SyncIoGovernor {
  private remainingInPool = 0;

  /** @param now a clock, in milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Runs one of two implementations of the same operation. */
  async run<T>(onEventLoop: () => T, inThreadPool: () => Promise<T>): Promise<T> {
    if (this.remainingInPool > 0) {
      this.remainingInPool--;
      return inThreadPool();
    }
    const start = this.now();
    try {
      return onEventLoop();
    } finally {
      if (this.now() - start > slowMs) this.remainingInPool = penalty;
    }
  }
}
