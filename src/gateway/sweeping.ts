import type { Logger } from '../core/logger.js';

/** How often leftovers of crashed uploads are looked for, in milliseconds. */
const sweepEveryMs = 10 * 60 * 1000;

/** Sweeps a store in the background, at once and now and then. Returns what ends it, and waits for what is under way. */
export function keepSwept(files: { sweep(): Promise<number> }, log: Logger): () => Promise<void> {
  const sweep = async (): Promise<void> => {
    try {
      const removed = await files.sweep();
      if (removed > 0) log.info({ removed }, 'removed temporary files that a crashed upload left');
    } catch (error) {
      log.warn({ err: error }, "can't look for temporary files that crashed uploads left");
    }
  };
  let last = sweep();
  const timer = setInterval(() => {
    last = last.then(sweep);
  }, sweepEveryMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    return last;
  };
}
