import { formatLocation } from '../backends/backends.js';
import { formatAddress } from '../core/address.js';
import { isLocalOnly } from './address.js';
import { anonymouslyAccessibleStores, anonymouslyReadableListeners, nameStores } from './anonymous-access.js';
import type { Config, ListenerConfig } from './types.js';

/** For how long Go's HTTP clients keep idle connections (net/http, DefaultTransport.IdleConnTimeout). */
const goIdleMs = 90_000;

/** What a configuration allows and its operator may not intend, each a sentence. Pure. */
export function warnings(config: Config): string[] {
  const { idleMs } = config.limits;
  return [
    ...anonymouslyReadableListeners(config).map((listener) => anonymousAccess(config, listener)),
    ...config.listeners
      .filter(({ address }) => isLocalOnly(address) === false)
      .flatMap((each) => readableOnTheWay(config, each)),
    ...config.principals.flatMap(withoutAccess),
    ...sharedLocations(config),
    ...(idleMs <= goIdleMs
      ? [`idle-timeout is ${idleMs / 1000}s: plakar keeps idle connections for 90s, and may use one that is closed`]
      : []),
  ];
}

function anonymousAccess(config: Config, listener: ListenerConfig): string {
  const writable = anonymouslyAccessibleStores(config, listener, 'append');
  const readable = anonymouslyAccessibleStores(config, listener, 'read').filter((name) => !writable.includes(name));
  const may = [
    ...(readable.length > 0 ? [`read ${nameStores(readable)}`] : []),
    ...(writable.length > 0 ? [`read and write ${nameStores(writable)}`] : []),
  ];
  return `anyone who can reach ${formatAddress(listener.address)} may ${may.join(', and ')} without logging in`;
}

function readableOnTheWay(config: Config, { protocol, address, tls }: ListenerConfig): string[] {
  const where = formatAddress(address);
  if (protocol === 'metrics') {
    return [`anyone who can reach ${where} may read the metrics, which include the names of stores`];
  }
  if (tls || (config.htpasswd === undefined && !config.principals.some(({ tokens }) => tokens.length > 0))) return [];
  return [`${where} doesn't use TLS: tokens and passwords sent there can be read by others on the network`];
}

function withoutAccess({ name, access }: Config['principals'][number]): string[] {
  if ([...access.values()].some((each) => each !== 'none')) return [];
  return [`${name} can log in but has no access to any store: list stores in its access`];
}

/** The policy and quota of one of these names can be circumvented through the other. */
function sharedLocations({ stores }: Config): string[] {
  const names = new Map<string, string>();
  return [...stores].flatMap(([name, { location }]) => {
    if (location === 'sample') return [];
    const where = formatLocation(location);
    const other = names.get(where);
    names.set(where, name);
    return other === undefined
      ? []
      : [`${nameStores([other, name])} are the same store, ${where}, but each has its own policy`];
  });
}
