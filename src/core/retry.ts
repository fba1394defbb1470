import { setTimeout as sleep } from 'node:timers/promises';
import { canceled, hasCode } from './errors.js';

const defaultFirstPauseMs = 100;

/** The limits of an operation with all its attempts. */
export interface Bounds {
  /** How many attempts there may be. */
  readonly attempts: number;
  /** By when it has to end, in milliseconds as from `Date.now`. Default: never. */
  readonly deadline?: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** The first pause is at most so long, in milliseconds. Default: 100. */
  readonly firstPauseMs?: number | undefined;
  /** Whether a failure may go away by itself. Default: whether it is `unavailable`. */
  readonly isTemporary?: (error: unknown) => boolean;
}

/**
 * Runs `attempt`, which has to be idempotent, and repeats it after a pause while its failures are temporary and there is time left. The
 * pauses grow exponentially, with jitter.
 */
export async function retried<T>(bounds: Bounds, attempt: () => Promise<T>): Promise<T> {
  const { attempts, deadline = Infinity, signal, firstPauseMs = defaultFirstPauseMs } = bounds;
  const isTemporary = bounds.isTemporary ?? ((error: unknown) => hasCode(error, 'unavailable'));
  for (let failed = 0; ; failed++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTemporary(error) || failed + 1 >= attempts) throw error;
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
