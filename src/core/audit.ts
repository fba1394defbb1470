import type { ErrorCode } from './errors.js';
import type { ObjectKind } from './object.js';

/** What the operator can look up later: one write, delete or refusal. Names no path of the server and no secret. */
export interface AuditEntry {
  /** When it was over: ISO 8601, UTC. */
  readonly time: string;
  /** Who it was: the principal's name, or `anonymous`. */
  readonly principal: string;
  /** From where: the IP address, or `unix socket`. */
  readonly address: string;
  /** The name of the listener that it came to. */
  readonly listener: string;
  /** The store's name; empty for the default one. */
  readonly store: string;
  readonly operation: AuditOperation;
  /** Of what, where it was about a kind, and about an object of that kind. */
  readonly kind?: ObjectKind;
  readonly mac?: string;
  readonly outcome: AuditOutcome;
  /** Why not, where it was refused or failed: in one word, and as the caller was told. */
  readonly code?: ErrorCode;
  readonly reason?: string;
  /** How many bytes of the object an upload had, as far as it came. */
  readonly bytes?: number;
}

/** `login` is for those who were turned away before they could ask for anything, `open` for those who have nothing of the store. */
export type AuditOperation = 'put' | 'delete' | 'get' | 'list' | 'stat' | 'config' | 'login' | 'open';

/**
 * - `created`: an object is there that wasn't.
 * - `unchanged`: the same bytes were there already.
 * - `replaced`: a lock was there and is another one now.
 * - `deleted`: the object isn't there any more, if it was.
 * - `refused`: the caller may not.
 * - `failed`: everything else that isn't success; nothing changed, as far as the gateway could find out.
 */
export type AuditOutcome = 'created' | 'unchanged' | 'replaced' | 'deleted' | 'refused' | 'failed';

/** Where entries go. */
export interface AuditTrail {
  /** Never fails: what becomes of the entry is the trail's business, and no request waits for it. */
  record(entry: AuditEntry): void;
}
