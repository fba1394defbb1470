/**
 * - `backup`: put packfiles, then a state.
 * - `removal`: put states and no packfile, without a lock: this is how plakar removes snapshots.
 * - `maintenance`: deleted packfiles or states, or put states under a lock.
 * - `read`: changed nothing: restore, check, maintenance that found nothing to do, or a client that gave up before it put anything.
 */
export const sessionKinds = ['backup', 'removal', 'maintenance', 'read'] as const;

export type SessionKind = (typeof sessionKinds)[number];

export type SessionOutcome = 'completed' | 'failed';

/** What one caller did with a store, from the first operation to the last: from its lock to the lock's end where it has one. */
export interface Session {
  /** The store's name; empty for the default one. */
  readonly store: string;
  /** The principal's name, or `anonymous`. */
  readonly principal: string;
  /** The caller's IP address, or `unix socket`. */
  readonly address: string;
  readonly kind: SessionKind;
  readonly outcome: SessionOutcome;
  /** Why it failed: a phrase. */
  readonly reason?: string;
  /** In milliseconds since 1970-01-01 UTC. */
  readonly startMs: number;
  readonly endMs: number;
  /** Packfiles and states that were put and are new. Of a removal: one state for each snapshot. */
  readonly newObjects: number;
  /** Their bytes. */
  readonly newBytes: number;
  /** Packfiles and states that were deleted. */
  readonly deletedObjects: number;
  /** States that plakar puts in the course of a long backup. */
  readonly checkpoints: number;
  /** Bytes of objects that were read. */
  readonly readBytes: number;
}

/** A session that has not ended. Its kind is what it looks like so far. */
export type OpenSession = Omit<Session, 'outcome' | 'reason' | 'endMs'> & {
  /** When its last operation ended, in milliseconds since 1970-01-01 UTC. */
  readonly lastMs: number;
  /** Bytes read and written per second, over the last minute. */
  readonly bytesPerSecond: number;
};
