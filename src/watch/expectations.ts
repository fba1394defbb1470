import type { Pair } from './history.js';

/** When a caller's next backup into a store is due, and whether it is late. */
export interface Due {
  /** In milliseconds since 1970-01-01 UTC. */
  readonly dueMs: number;
  readonly isOverdue: boolean;
}

/**
 * When the next backup is due.
 *
 * @param expectedMs at most so long after the last one
 * @param pair what is known of the last one, and since when backups are expected
 * @param standInMs when the store's newest state was written, where there is no history: it may be another caller's
 */
export function dueOf(expectedMs: number, pair: Pair, standInMs: number | undefined, nowMs: number): Due {
  const last = pair.backups.at(-1)?.endMs ?? standInMs ?? pair.expectedSinceMs ?? nowMs;
  const dueMs = last + expectedMs;
  return { dueMs, isOverdue: nowMs > dueMs };
}
