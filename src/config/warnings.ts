import { allows } from '../core/access.js';
import { formatAddress } from '../core/address.js';
import { formatLocation } from '../backends/backends.js';
import { isLocalOnly } from './address.js';
import { nameStores, openListeners, openStores } from './open.js';
import type { Config, ListenerConfig } from './types.js';

/** For how long Go's HTTP clients keep idle connections (net/http, DefaultTransport.IdleConnTimeout). */
const goIdleMs = 90_000;

/** What a configuration allows that its operator may not have meant, each a sentence. Pure. */
export function warnings(config: Config): string[] {
  return [
    ...openListeners(config).map((listener) => openAccess(config, listener)),
    ...config.listeners
      .filter(({ address }) => isLocalOnly(address) === false)
      .flatMap((each) => inTheClear(config, each)),
    ...config.principals.flatMap(withoutAccess),
    ...sharedLocations(config),
    ...(config.limits.idleMs <= goIdleMs
      ? [
          `idle-timeout is ${config.limits.idleMs / 1000}s: plakar keeps idle connections for 90 s, and may send on a closed one`,
        ]
      : []),
  ];
}

function openAccess(config: Config, listener: ListenerConfig): string {
  const writable = openStores(config, listener, 'append');
  const readable = openStores(config, listener, 'read-only').filter((name) => !writable.includes(name));
  const may = [
    ...(readable.length > 0 ? [`read ${nameStores(readable)}`] : []),
    ...(writable.length > 0 ? [`read and write ${nameStores(writable)}`] : []),
  ];
  return `whoever reaches ${formatAddress(listener.address)} may ${may.join(', and ')}: nobody has to log in`;
}

function inTheClear(config: Config, { protocol, address, tls }: ListenerConfig): string[] {
  if (protocol === 'metrics') {
    return [
      `whoever reaches ${formatAddress(address)} may read the metrics, names of stores and principals among them`,
    ];
  }
  if (tls || (config.htpasswd === undefined && !config.principals.some(({ tokens }) => tokens.length > 0))) return [];
  return [`tokens and passwords that are sent to ${formatAddress(address)} can be read on the way: it speaks no TLS`];
}

function withoutAccess({ name, access }: Config['principals'][number]): string[] {
  if ([...access.values()].some((each) => allows(each, 'read-only'))) return [];
  return [`${name} can log in and has access to nothing: name stores in its access`];
}

/** What one store's policy and quota forbid could be done through the other. */
function sharedLocations({ stores }: Config): string[] {
  const names = new Map<string, string>();
  return [...stores].flatMap(([name, { location }]) => {
    if (location === 'sample') return [];
    const place = formatLocation(location);
    const other = names.get(place);
    names.set(place, name);
    return other === undefined
      ? []
      : [`${nameStores([other, name])} are one store, at ${place}: each has its own policy`];
  });
}
