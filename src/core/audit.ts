import type { ErrorCode } from './errors.js';
import type { ObjectKind } from './object.js';

/** A line of the audit log: one write, delete or refusal, or what the gateway itself did. Contains no path of the server and no secret. */
export interface AuditEntry {
  /** When the operation ended: ISO 8601, UTC. */
  readonly time: string;
  /** The principal's name, or `anonymous`; `kloset-gateway` for what the gateway did. */
  readonly principal: string;
  /** The caller's IP address, or `unix socket`; empty for what the gateway did. */
  readonly address: string;
  /** The name of the listener; empty for what the gateway did. */
  readonly listener: string;
  /** The store's name; empty for the default one. */
  readonly store: string;
  readonly operation: AuditOperation;
  /** What the operation was about, if that was a kind or an object. */
  readonly kind?: ObjectKind;
  readonly mac?: string;
  readonly outcome: AuditOutcome;
  /** The error's code and message, as sent to the caller. */
  readonly code?: ErrorCode;
  readonly reason?: string;
  /** How many bytes of an upload arrived. */
  readonly bytes?: number;
}

/**
 * - `login`: the caller was refused before it named a store.
 * - `open`: the caller has no access to the store.
 * - `purge`: the gateway removed an object from the trash, for good, since its time was up.
 * - `retention`: a reload shortened how long objects are kept, or the clock is trusted from now on; `reason` says which.
 */
export type AuditOperation =
  'put' | 'delete' | 'get' | 'list' | 'stat' | 'config' | 'login' | 'open' | 'purge' | 'retention';

/**
 * - `created`: a packfile or state was written.
 * - `unchanged`: the same packfile or state was there already.
 * - `stored`: a lock was written, whether or not there was one before; or a setting has changed.
 * - `trashed`: the packfile or state is in the trash now; it may not have been there before.
 * - `deleted`: the object is not there any more; it may not have been there before.
 * - `refused`: the caller is not allowed to do this.
 * - `failed`: any other error; as far as the gateway could find out, nothing changed.
 */
export type AuditOutcome = 'created' | 'unchanged' | 'stored' | 'trashed' | 'deleted' | 'refused' | 'failed';

/** The principal of what the gateway did itself. */
const ownName = 'kloset-gateway';

/** An entry for something that the gateway did itself, now. */
export function ownEntry(
  store: string,
  event: Pick<AuditEntry, 'operation' | 'outcome'> & Partial<Pick<AuditEntry, 'kind' | 'mac' | 'reason'>>,
): AuditEntry {
  return { time: new Date().toISOString(), principal: ownName, address: '', listener: '', store, ...event };
}

/** Takes the entries of the audit log. */
export interface AuditSink {
  /** Never fails and never waits: no request depends on whether its entry can be written. */
  record(entry: AuditEntry): void;
}
