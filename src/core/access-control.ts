import type { Caller, Peer } from './caller.js';
import type { Store } from './store.js';

/** Authenticates requests and authorises their use of stores. Frontends have no other way to a store. */
export interface AccessControl {
  /**
   * Who a request comes from: the principal of its credentials or of its client certificate, or an anonymous caller. Fails with
   * `unauthenticated` if the credentials are wrong, `permission_denied` if the principal may not use the listener, and
   * `too_many_requests` after too many failed logins.
   *
   * @param authorization the value of the `Authorization` header, or of the metadata of that name: `Bearer …` or `Basic …`
   */
  login(peer: Peer, authorization: string | undefined): Promise<Caller>;

  /**
   * The store of this name, restricted to what the caller may do with it; the empty name is the default store. With `@` and a moment
   * behind the name, the store as it was then, read-only. Throws `not_found`, `unauthenticated` or `permission_denied` if the caller has no
   * access to it, and `invalid_argument` for what is no moment of the past.
   */
  storeOf(caller: Caller, address: string): Store;
}
