import { setTimeout as sleep } from 'node:timers/promises';
import { canceled, hasCode } from '../core/errors.js';

const firstPauseMs = 100;

/**
 * Runs `attempt` again, after a pause, where it fails with `unavailable`: `attempts` times in all. Only for what changes
 * nothing when it is done twice.
 */
export async function retried<T>(
  attempts: number,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let failed = 0; ; failed++) {
    try {
      return await attempt();
    } catch (error) {
      if (!hasCode(error, 'unavailable') || failed + 1 >= attempts) throw error;
      // Not all at the same time again.
      const pauseMs = firstPauseMs * 2 ** failed * (0.5 + Math.random() / 2);
      await sleep(pauseMs, undefined, { signal, ref: true }).catch(() => Promise.reject(canceled(signal?.reason)));
    }
  }
}

/** The first item of an iteration, taken with retries, and then the rest of the attempt that gave it. */
export async function* retriedIteration<T>(
  attempts: number,
  signal: AbortSignal | undefined,
  start: () => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const { first, rest } = await retried(attempts, signal, async () => {
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
