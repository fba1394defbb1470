import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs an attempt with a time limit: after it, `controller` is aborted. Settles as the attempt does, which has to end soon when its signal
 * is aborted.
 */
export async function limited<T>(
  ms: number,
  controller: AbortController,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${ms / 1000} s`)), ms);
  try {
    return await attempt(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when `work` is over, which never rejects, or after `ms`. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const limit = new AbortController();
  await Promise.race([work, sleep(ms, undefined, { signal: limit.signal }).catch(() => undefined)]);
  limit.abort();
}
