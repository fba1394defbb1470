import type { OpContext } from '../../core/store.js';
import type { Logger } from '../../lib/logger.js';

/** How often a store is cleaned up, in milliseconds. */
export const sweepEveryMs = 10 * 60 * 1000;

export interface Cleaning {
  /** Removes leftovers of crashed uploads. Resolves to their number. */
  sweep(): Promise<number>;
  /** Removes from the trash what has been there for its time. Never rejects. */
  purge(ctx: OpContext): Promise<void>;
}

export interface SweepOptions {
  readonly log: Logger;
  readonly everyMs: number;
  /** Whether the store is in S3, where a sweep asks for whole lists, and may take long. */
  readonly inS3: boolean;
}

/**
 * Removes leftovers of crashed uploads, and what has been in the trash for its time, periodically. Resolves to a function that stops it: after the
 * leftovers were removed for the first time, which makes room on a disk, but in S3 at once.
 */
export async function sweepPeriodically(
  cleaning: Cleaning,
  { log, everyMs, inS3 }: SweepOptions,
): Promise<() => Promise<void>> {
  const leftovers = inS3
    ? 'parts of unfinished uploads and old versions of locks'
    : 'temporary files of crashed uploads';
  const stopped = new AbortController();
  const { signal } = stopped;
  const sweep = async (): Promise<void> => {
    try {
      const removed = await cleaning.sweep();
      if (removed > 0) log.info({ removed }, `removed ${leftovers}`);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, `can't remove ${leftovers}`);
    }
  };
  const first = sweep();
  if (!inS3) await first;
  let running: Promise<void> | undefined = first.finally(() => (running = undefined));
  const clean = async (): Promise<void> => {
    await sweep();
    await cleaning.purge({ signal });
  };
  const timer = setInterval(() => {
    // A purge of very many objects may take longer.
    running ??= clean().finally(() => (running = undefined));
  }, everyMs).unref();
  return async () => {
    stopped.abort();
    clearInterval(timer);
    await running;
  };
}
