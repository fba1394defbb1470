import { hasRight, type Right } from '../core/access.js';
import { isLocalOnly } from './address.js';
import type { Config, ListenerConfig } from './types.js';

/** The names of the stores to which anonymous callers of a listener have the right `needed`. */
export function anonymouslyAccessibleStores(
  { stores, tls }: Pick<Config, 'stores' | 'tls'>,
  listener: ListenerConfig,
  needed: Right,
): string[] {
  if (listener.protocol === 'admin' || !hasRight(listener.maxAccess, needed)) return [];
  // Clients without a certificate fail in the handshake.
  if (listener.tls && tls?.clientCertRequired === true) return [];
  return [...stores].filter(([, { anonymous }]) => hasRight(anonymous, needed)).map(([name]) => name);
}

/**
 * The listeners where anonymous callers on other machines can read. Sockets passed by systemd are not included: only the open
 * socket tells from where it can be reached.
 */
export function anonymouslyReadableListeners(config: Config): ListenerConfig[] {
  return config.listeners.filter(
    (listener) =>
      isLocalOnly(listener.address) === false && anonymouslyAccessibleStores(config, listener, 'read').length > 0,
  );
}

/** Names of stores in a sentence. */
export function nameStores(names: readonly string[]): string {
  const all = names.map((name) => (name === '' ? 'the default store' : name));
  return all.length > 3 ? `${all.slice(0, 3).join(', ')} and ${all.length - 3} more` : all.join(', ');
}

/** The problem that anonymous callers on other machines could write to these stores. */
export function anonymousWritingProblem(address: string, stores: readonly string[]): string {
  return (
    `anyone who can reach ${address} could write to ${nameStores(stores)} without logging in: ` +
    'listen on localhost or a unix socket, allow less, or set --no-auth (no-auth: true) if this is intended'
  );
}
