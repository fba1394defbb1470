import type { Config } from '../config/types.js';
import { allows, type Access } from '../core/access.js';
import type { Caller } from '../core/caller.js';
import { StoreError } from '../core/errors.js';

/** What a configuration says about access, by names. */
export interface Grants {
  /** By principal, then by store; `*` stands for every store that isn't named. */
  readonly principals: ReadonlyMap<string, ReadonlyMap<string, Access>>;
  /** By store: what is everyone's. */
  readonly anonymous: ReadonlyMap<string, Access>;
  /** By principal: the listeners that it may use, where these aren't all. */
  readonly listeners: ReadonlyMap<string, ReadonlySet<string>>;
  /** By listener: the most that anybody may do who comes that way. */
  readonly maxAccess: ReadonlyMap<string, Access>;
  /** The listeners that nobody may use without a certificate. */
  readonly certified: ReadonlySet<string>;
}

/** Collects the grants of a configuration. */
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

/** Throws `permission_denied` where a caller comes by a listener that it may not use. */
export function requireListener({ listeners, certified }: Grants, { principal, peer }: Caller): void {
  // The handshake sees to it, but for connections from before that was required.
  if (certified.has(peer.listener) && (peer.certificate === undefined || peer.certificate.problem !== undefined)) {
    throw new StoreError(
      'permission_denied',
      'not without a certificate of your own, from now on: connect again with one',
    );
  }
  if (principal === undefined || listeners.get(principal)?.has(peer.listener) !== false) return;
  throw new StoreError(
    'permission_denied',
    "not from this address: the gateway's operator lets you use other addresses of it only",
  );
}

/**
 * What a caller may do with a store: what the principal was granted, but at least what everybody may, since logging in never
 * takes anything away; and at most what may be done by way of the caller's listener. A principal that only an htpasswd file
 * knows was granted nothing. `none` for a store or a listener that there isn't.
 */
export function accessOf(
  { principals, anonymous, maxAccess }: Grants,
  { principal, peer }: Caller,
  store: string,
): Access {
  const everyones = anonymous.get(store);
  if (everyones === undefined) return 'none';
  const grants = principal === undefined ? undefined : principals.get(principal);
  const own = grants?.get(store) ?? grants?.get('*') ?? 'none';
  return lesser(greater(own, everyones), maxAccess.get(peer.listener) ?? 'none');
}

function greater(a: Access, b: Access): Access {
  return allows(a, b) ? a : b;
}

function lesser(a: Access, b: Access): Access {
  return allows(a, b) ? b : a;
}
