import type { StoreError } from '../../core/errors.js';
import { Detours } from './detours.js';
import { fromErrno } from './errno.js';

/** What a call that finds everything in memory takes at most, in milliseconds. */
const quickMs = 0.5;

/**
 * Does small calls to the file system on the event loop as long as the disk proves to be quick, and through the thread pool
 * otherwise. Measured: making, linking or removing a name takes 2 to 6 us here, and three to ten times that there.
 */
export class ShortCalls {
  private readonly detours = new Detours();

  /** @param now a clock, in milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /**
   * Does one of both, which do the same.
   *
   * @param asFailure what to fail with where they do
   */
  run<T>(here: () => T, inPool: () => Promise<T>, asFailure: (error: unknown) => StoreError = fromErrno): Promise<T> {
    const fail = (error: unknown): never => {
      throw asFailure(error);
    };
    if (this.detours.next()) return inPool().catch(fail);
    // An async function costs as much as some of these calls.
    try {
      return Promise.resolve(this.judged(here));
    } catch (error) {
      return Promise.reject(asFailure(error));
    }
  }

  private judged<T>(here: () => T): T {
    const start = this.now();
    try {
      return here();
    } finally {
      this.detours.judge(this.now() - start, quickMs);
    }
  }
}
