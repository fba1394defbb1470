import { setTimeout as sleep } from 'node:timers/promises';
import { canceled, hasCode } from '../core/errors.js';

const firstPauseMs = 100;

/** What all attempts at something have together. */
export interface Bounds {
  /** How often it is tried in all. */
  readonly attempts: number;
  /** When it has to be done, as `Date.now` tells the time; undefined for never. */
  readonly deadline: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs `attempt` again, after a pause, where it fails with `unavailable` and there is time left. Only for what changes nothing
 * when it is done twice.
 */
export async function retried<T>(bounds: Bounds, attempt: () => Promise<T>): Promise<T> {
  const { attempts, deadline = Infinity, signal } = bounds;
  for (let failed = 0; ; failed++) {
    try {
      return await attempt();
    } catch (error) {
      if (!hasCode(error, 'unavailable') || failed + 1 >= attempts) throw error;
      // Not all at the same time again.
      const pauseMs = firstPauseMs * 2 ** failed * (0.5 + Math.random() / 2);
      if (Date.now() + pauseMs >= deadline) throw error;
      await sleep(pauseMs, undefined, { signal, ref: true }).catch(() => Promise.reject(canceled(signal?.reason)));
    }
  }
}

/** The first item of an iteration, taken with retries, and then the rest of the attempt that gave it. */
export async function* retriedIteration<T>(
  bounds: Bounds,
  start: () => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const { first, rest } = await retried(bounds, async () => {
    const items = start();
    return { first: await items.next(), rest: items };
  });
  try {
    if (first.done === true) return;
    yield first.value;
    yield* rest;
  } finally {
    await rest.return();
  }
}
