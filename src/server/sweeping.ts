import type { Logger } from '../lib/logger.js';

/** How often leftovers of crashed uploads are removed, in milliseconds. */
const sweepEveryMs = 10 * 60 * 1000;

/** Removes leftovers of crashed uploads periodically. Resolves, after the first time, to a function that stops it. */
export async function sweepPeriodically(
  files: { sweep(): Promise<number> },
  log: Logger,
): Promise<() => Promise<void>> {
  let stopped = false;
  const sweep = async (): Promise<void> => {
    try {
      const removed = await files.sweep();
      if (removed > 0) log.info({ removed }, 'removed temporary files of crashed uploads');
    } catch (error) {
      if (!stopped) log.warn({ err: error }, "can't remove temporary files of crashed uploads");
    }
  };
  await sweep();
  let last = Promise.resolve();
  const timer = setInterval(() => void (last = sweep()), sweepEveryMs).unref();
  return () => {
    stopped = true;
    clearInterval(timer);
    return last;
  };
}
