import { durationText } from '../lib/duration-text.js';
import { present, type Arrived } from './contents.js';
import { timeText } from './object-text.js';
import type { StoreSubject } from './store-command.js';

/** A lock that was written so long ago is stale, in milliseconds: LOCK_TTL of plakar (kloset 1.1.3, repository/lock.go). */
const staleLockMs = 10 * 60_000;

/** A lock of a store. It arrived when it was last refreshed. */
export interface FoundLock extends Arrived {
  /** How long ago it was refreshed, in milliseconds. */
  readonly ageMs: number;
  /** Whether its client is gone: clients refresh their locks every 5 minutes. */
  readonly isStale: boolean;
}

/** The locks of a store, the one that was refreshed first comes first. */
export async function findLocks(
  subject: Pick<StoreSubject, 'store' | 'ctx' | 'progress' | 'nowMs'>,
): Promise<FoundLock[]> {
  const locks: FoundLock[] = [];
  for await (const lock of present(subject, 'lock')) locks.push({ ...lock, ...ageOf(lock.arrivedMs, subject.nowMs) });
  return locks.sort((a, b) => a.arrivedMs - b.arrivedMs);
}

/** How old a lock is at a moment. One that seems to come from the future, by another machine's clock, is fresh. */
export function ageOf(refreshedMs: number, nowMs: number): Pick<FoundLock, 'ageMs' | 'isStale'> {
  const ageMs = Math.max(0, nowMs - refreshedMs);
  return { ageMs, isStale: ageMs >= staleLockMs };
}

/** For programs. */
export function lockJson({ ref, size, arrivedMs, ageMs, isStale }: FoundLock): object {
  const refreshed = new Date(arrivedMs).toISOString();
  return { mac: ref.mac, bytes: size, refreshed, ageSeconds: Math.floor(ageMs / 1000), stale: isStale };
}

/** Rows for people, with their titles. */
export function lockRows(locks: readonly FoundLock[]): string[][] {
  const rows = locks.map(({ ref, arrivedMs, ageMs, isStale }) => [
    timeText(arrivedMs),
    `${durationText(ageMs)} ago`,
    ref.mac,
    isStale ? 'stale' : 'in use',
  ]);
  return [['refreshed', '', 'MAC', ''], ...rows];
}

/** `3 locks, 1 of them stale`. */
export function locksText(locks: readonly FoundLock[]): string {
  const stale = locks.filter(({ isStale }) => isStale).length;
  return `${locks.length} ${locks.length === 1 ? 'lock' : 'locks'}, ${stale} of them stale`;
}
