import { setTimeout as sleep } from 'node:timers/promises';
import { canceled, hasCode } from '../core/errors.js';

const firstPauseMs = 100;

/** The limits of a call with all its attempts. */
export interface Bounds {
  /** How many attempts there may be. */
  readonly attempts: number;
  /** By when it has to end, in milliseconds as from `Date.now`; undefined for never. */
  readonly deadline: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs `attempt`, which has to be idempotent, and repeats it after a pause while it fails with `unavailable` and there is time left. The
 * pauses grow exponentially, with jitter.
 */
export async function retried<T>(bounds: Bounds, attempt: () => Promise<T>): Promise<T> {
  const { attempts, deadline = Infinity, signal } = bounds;
  for (let failed = 0; ; failed++) {
    try {
      return await attempt();
    } catch (error) {
      if (!hasCode(error, 'unavailable') || failed + 1 >= attempts) throw error;
      const pauseMs = firstPauseMs * 2 ** failed * (0.5 + Math.random() / 2);
      if (Date.now() + pauseMs >= deadline) throw error;
      await sleep(pauseMs, undefined, { signal, ref: true }).catch(() => Promise.reject(canceled(signal?.reason)));
    }
  }
}

/** Starts an iteration, with retries until it has given its first item. */
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
