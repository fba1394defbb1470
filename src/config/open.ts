import { allows, type Access } from '../core/access.js';
import { isLocalOnly } from './address.js';
import type { Config, ListenerConfig } from './types.js';

/** The names of the stores with which whoever reaches a listener may do what `needed` says, without logging in. */
export function openStores(
  { stores, tls }: Pick<Config, 'stores' | 'tls'>,
  listener: ListenerConfig,
  needed: Access,
): string[] {
  if (listener.protocol === 'metrics' || !allows(listener.maxAccess, needed)) return [];
  // Who has no certificate doesn't get through the handshake.
  if (listener.tls && tls?.clientCertRequired === true) return [];
  return [...stores].filter(([, { anonymous }]) => allows(anonymous, needed)).map(([name]) => name);
}

/**
 * The listeners where others than this machine can read without logging in. Of systemd's sockets only the open ones tell where
 * they can be reached from, so these aren't among them.
 */
export function openListeners(config: Config): ListenerConfig[] {
  return config.listeners.filter(
    (listener) => isLocalOnly(listener.address) === false && openStores(config, listener, 'read-only').length > 0,
  );
}

/** Stores' names in a sentence. */
export function nameStores(names: readonly string[]): string {
  const quoted = names.map((name) => (name === '' ? 'the default store' : name));
  return quoted.length > 3 ? `${quoted.slice(0, 3).join(', ')} and ${quoted.length - 3} more` : quoted.join(', ');
}

/** What is wrong where whoever reaches an address may write to these stores. */
export function openWritingProblem(address: string, stores: readonly string[]): string {
  return (
    `whoever reaches ${address} could write to ${nameStores(stores)}, since nobody has to log in: ` +
    'listen on localhost or a unix socket, allow less, or say --no-auth (no-auth: true) if that is meant'
  );
}
