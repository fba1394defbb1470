import type { Config } from '../config/types.js';
import { higher, lower, type Access } from '../core/access.js';
import type { Caller } from '../core/caller.js';
import { StoreError } from '../core/errors.js';

/** A configuration's rules of access, by names. */
export interface Grants {
  /** By principal, then by store; `*` stands for every store that isn't named. */
  readonly principals: ReadonlyMap<string, ReadonlyMap<string, Access>>;
  /** By store: what every caller may do. */
  readonly anonymous: ReadonlyMap<string, Access>;
  /** By principal: the listeners that it may use, if not all. */
  readonly listeners: ReadonlyMap<string, ReadonlySet<string>>;
  /** By listener: the most that its callers may do. */
  readonly maxAccess: ReadonlyMap<string, Access>;
  /** The listeners that require a client certificate. */
  readonly certified: ReadonlySet<string>;
}

/** Collects the rules of a configuration. */
export function grantsOf({
  principals,
  stores,
  listeners,
  tls,
}: Pick<Config, 'principals' | 'stores' | 'listeners' | 'tls'>): Grants {
  const certified = listeners.filter((each) => each.tls && tls?.clientCertRequired === true);
  return {
    principals: new Map(principals.map(({ name, access }) => [name, access])),
    listeners: new Map(principals.flatMap(({ name, listeners: own }) => (own ? [[name, own]] : []))),
    anonymous: new Map([...stores].map(([name, { anonymous }]) => [name, anonymous])),
    maxAccess: new Map(listeners.map(({ name, maxAccess }) => [name, maxAccess])),
    certified: new Set(certified.map(({ name }) => name)),
  };
}

/** Throws `permission_denied` if a caller may not use the listener that it connected to. */
export function requireListener({ listeners, certified }: Grants, { principal, peer }: Caller): void {
  // The handshake checks this as well, but not on connections that are older than the requirement.
  if (certified.has(peer.listener) && (peer.certificate === undefined || peer.certificate.problem !== undefined)) {
    throw new StoreError(
      'permission_denied',
      'this listener now requires a client certificate: connect again with a trusted one',
    );
  }
  if (principal === undefined || listeners.get(principal)?.has(peer.listener) !== false) return;
  throw new StoreError(
    'permission_denied',
    "this login may not use this listener: ask the gateway's operator which address to use",
  );
}

/**
 * What a caller may do with a store: the principal's grant, or the store's anonymous access if that is higher, but at most what the
 * listener allows. A principal that only the htpasswd file has was granted nothing. `none` for an unknown store or listener.
 */
export function accessOf(grants: Grants, { principal, peer }: Caller, store: string): Access {
  const anonymous = grants.anonymous.get(store);
  if (anonymous === undefined) return 'none';
  const granted = principal === undefined ? undefined : grants.principals.get(principal);
  const own = granted?.get(store) ?? granted?.get('*') ?? 'none';
  return lower(higher(own, anonymous), maxAccessOf(grants, peer.listener));
}

/** The most that callers of a listener may do; `none` for an unknown one. */
export function maxAccessOf({ maxAccess }: Grants, listener: string): Access {
  return maxAccess.get(listener) ?? 'none';
}
