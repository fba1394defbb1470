import type { OpenSession, Session } from './session.js';

/** The state of the gateway at a moment, as `/api/status` has it and the status page shows it. Times are in ms since 1970-01-01 UTC. */
export interface Status {
  readonly version: string;
  /** The gateway's name among its replicas. */
  readonly instance: string;
  readonly nowMs: number;
  readonly startedMs: number;
  readonly stores: readonly StoreStatus[];
  /** Of stores' disks: with less free space they are nearly full, in bytes. */
  readonly warnFreeBytes: number;
  /** A row for each pair of a principal and a store that it backs up into, or is expected to. */
  readonly machines: readonly MachineStatus[];
  readonly openSessions: readonly OpenSession[];
  /** The last sessions that ended, the newest first. */
  readonly sessions: readonly Session[];
  /** The last refusals, the newest first; of those that are the same but for their times, stores and objects, the last one. */
  readonly refusals: readonly Refusal[];
  /** The last 60 minutes, the oldest first; the last one is the current one. */
  readonly traffic: readonly TrafficMinute[];
  readonly certificateExpiresMs?: number;
}

export interface StoreStatus {
  /** Empty for the default store. */
  readonly name: string;
  /** Undefined before it was looked at. */
  readonly isReachable?: boolean;
  /** Why it can't be reached: a sentence without paths and secrets. */
  readonly problem?: string;
  /** Packfiles and states, and their bytes; undefined before they were counted. */
  readonly objects?: number;
  readonly bytes?: number;
  readonly quotaBytes?: number;
  /** What is free on its disk; undefined where that is unknown. */
  readonly freeBytes?: number;
  readonly locks?: number;
  /** When the oldest lock was last written. */
  readonly oldestLockMs?: number;
  readonly newestStateMs?: number;
  /** The bytes that were added, by day: 30 days, the oldest first; the last one is today (UTC). */
  readonly addedBytes: readonly number[];
  /** Undefined without a second copy. */
  readonly mirror?: MirrorStatus;
  /** Undefined if its objects aren't checked, or before that has begun. */
  readonly verification?: VerificationStatus;
}

/** What is known of a store's objects from reading them. */
export interface VerificationStatus {
  /** What the pass that is under way has read, or the last one; of so many objects. */
  readonly checkedObjects: number;
  readonly checkedBytes: number;
  readonly plannedObjects?: number;
  /** How many are damaged, here or in the mirror, by the last complete pass and the one under way. */
  readonly damagedObjects: number;
  /** When the last pass that was completed ended. */
  readonly completedMs?: number;
  /** Why the pass can't go on at the moment; for the operator. */
  readonly problem?: string;
}

/** How a store's second copy is. */
export interface MirrorStatus {
  /** `to`: the store is copied there; `from`: the store is the second copy. */
  readonly direction: 'to' | 'from';
  /** Since when the second copy may be incomplete: the time since the moment as of which it is complete, or since the gateway started. */
  readonly lagMs: number;
  /** Whether that is longer than the setting `lag`. */
  readonly isBehind: boolean;
  /** What it lacks; undefined before that was looked at. */
  readonly missingObjects?: number;
  readonly missingBytes?: number;
  /** When the last run that completed ended. */
  readonly lastSuccessMs?: number;
  /** Why the last run failed, if it did; for the operator. */
  readonly problem?: string;
}

/** What became of the backups of a day. */
export interface Day {
  readonly completed: number;
  readonly failed: number;
}

export interface MachineStatus {
  readonly principal: string;
  readonly store: string;
  readonly lastBackup?: Pick<Session, 'startMs' | 'endMs' | 'newBytes' | 'address'>;
  /** The last one that failed, if it is newer than the last backup. */
  readonly lastFailure?: Pick<Session, 'endMs' | 'reason'>;
  /** 30 days, the oldest first; the last one is today (UTC). */
  readonly days: readonly Day[];
  /** At most so long after a backup the next one is expected, in milliseconds. */
  readonly expectedMs?: number;
  /** When the next backup is due, if one is expected. */
  readonly dueMs?: number;
  readonly isOverdue: boolean;
}

export interface Refusal {
  readonly timeMs: number;
  readonly store: string;
  readonly principal: string;
  readonly address: string;
  readonly operation: string;
  readonly code: string;
  readonly reason: string;
}

export interface TrafficMinute {
  readonly requests: number;
  readonly received: number;
  readonly sent: number;
}
