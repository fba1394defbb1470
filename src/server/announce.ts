import type { Config } from '../config/types.js';
import type { Access } from '../core/access.js';
import { formatAddress } from '../core/address.js';
import type { Logger } from '../lib/logger.js';
import type { ActivatedSocket } from '../net/activation.js';
import { version } from '../lib/package-info.js';
import type { Gateway } from './gateway.js';
import type { Generation } from './generation.js';

/**
 * Logs the stores with their policy, and the addresses of a gateway that has started.
 *
 * @param unclaimed the sockets passed by systemd that no listener has taken
 */
export function announce(
  log: Logger,
  gateway: Gateway,
  { config, acquired }: Generation,
  unclaimed: readonly ActivatedSocket[],
): void {
  for (const [name, { location, store }] of acquired.stores) {
    const { durable } = store.info();
    const anonymous = config.stores.get(name)?.anonymous ?? 'none';
    const what = name === '' ? location : `${location} as ${name}`;
    const fields = { store: name, location, access: anonymous, durable, version };
    log.info(fields, `serving ${what}; ${policyText(config, anonymous)}; ${durabilityText(durable)}`);
  }
  announceAddresses(log, gateway);
  for (const { name } of unclaimed)
    log.warn({ name }, `systemd passed a socket ${JSON.stringify(name)} that no listener uses`);
}

/** Logs that another configuration has become active. */
export function announceReload(log: Logger, gateway: Gateway): void {
  log.info({}, 'the configuration was reloaded');
  announceAddresses(log, gateway);
}

function announceAddresses(log: Logger, { http, grpc, metrics }: Gateway): void {
  for (const address of http) log.info({ http: formatAddress(address) }, `HTTP on ${formatAddress(address)}`);
  for (const address of grpc) log.info({ grpc: formatAddress(address) }, `gRPC on ${formatAddress(address)}`);
  for (const address of metrics) log.info({ metrics: formatAddress(address) }, `metrics on ${formatAddress(address)}`);
}

function policyText({ principals, htpasswd }: Config, anonymous: Access): string {
  const text = `anonymous access: ${anonymous}`;
  if (principals.length === 0 && htpasswd === undefined) return text;
  return `${text}, and ${principals.length} principal${principals.length === 1 ? '' : 's'} with their own access`;
}

function durabilityText(durable: boolean): string {
  return durable ? 'uploads are synced to disk before they are acknowledged' : 'uploads are NOT synced to disk';
}
