import type { Peer } from './caller.js';

/** A request to the admin listener. */
export interface AdminRequest {
  /** What is asked for: the metrics, or all that the status page shows. */
  readonly part: 'metrics' | 'status';
  /** The host that the request names, with its port if there is one; undefined if it names none. */
  readonly host: string | undefined;
  /** The value of the `Authorization` header. */
  readonly authorization: string | undefined;
}

/** Decides who may see the metrics and the status of the gateway. */
export interface AdminAccessControl {
  /**
   * Resolves if a request may be answered. Fails with `unauthenticated` if it has to log in, `permission_denied` if that would not
   * help, and `too_many_requests` after too many failed logins.
   */
  check(peer: Peer, request: AdminRequest): Promise<void>;
}
