import type { Logger } from '../lib/logger.js';

/** How often leftovers of crashed uploads are looked for, in milliseconds. */
const sweepEveryMs = 10 * 60 * 1000;

/** Sweeps a store now and then. Resolves, after the first time, to what ends it. */
export async function keepSwept(files: { sweep(): Promise<number> }, log: Logger): Promise<() => Promise<void>> {
  let stopped = false;
  const sweep = async (): Promise<void> => {
    try {
      const removed = await files.sweep();
      if (removed > 0) log.info({ removed }, 'removed temporary files that a crashed upload left');
    } catch (error) {
      if (!stopped) log.warn({ err: error }, "can't look for temporary files that crashed uploads left");
    }
  };
  await sweep();
  let last = Promise.resolve();
  const timer = setInterval(() => {
    last = sweep();
  }, sweepEveryMs);
  timer.unref();
  return () => {
    stopped = true;
    clearInterval(timer);
    return last;
  };
}
