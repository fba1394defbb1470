import type { Caller, Peer } from './caller.js';
import type { Store } from './store.js';

/** The way from a request to a store: who is it, and what has it of that store. Frontends have no other one. */
export interface AccessControl {
  /**
   * Who a request comes from: the principal of its credentials or of its client certificate, or nobody. Fails with
   * `unauthenticated` where the credentials are wrong, `too_many_requests` where too many were.
   *
   * @param authorization the value of the `Authorization` header, or of the metadata of that name: `Bearer …` or `Basic …`
   */
  login(peer: Peer, authorization: string | undefined): Caller | Promise<Caller>;

  /**
   * The store of this name as the caller has it, behind every layer; the empty name is the default one. Throws `not_found`,
   * `unauthenticated` or `permission_denied` where the caller has none.
   */
  storeOf(caller: Caller, name: string): Store;
}
