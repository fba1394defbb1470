import type { Config } from '../config/types.js';
import type { Access } from '../core/access.js';
import { formatAddress } from '../core/address.js';
import type { Logger } from '../lib/logger.js';
import type { ActivatedSocket } from '../net/activation.js';
import { version } from '../lib/package-info.js';
import type { Gateway } from './gateway.js';
import type { OpenStore } from './stores.js';

export interface Announcement {
  readonly log: Logger;
  readonly config: Config;
  readonly gateway: Gateway;
  readonly stores: ReadonlyMap<string, OpenStore>;
  /** Sockets that systemd passed on and nobody asked for. */
  readonly strays: readonly ActivatedSocket[];
}

/** Says where the gateway listens, on which stores, with which policy. */
export function announce({ log, config, gateway, stores, strays }: Announcement): void {
  for (const [name, { location, store }] of stores) {
    const { durable } = store.info();
    const anonymous = config.stores.get(name)?.anonymous ?? 'none';
    const what = name === '' ? location : `${location} as ${name}`;
    const fields = { store: name, location, access: anonymous, durable, version };
    log.info(fields, `serving ${what}, ${policyText(config, anonymous)}; ${durabilityText(durable)}`);
  }
  announceAddresses(log, gateway);
  for (const { name } of strays)
    log.warn({ name }, `systemd passed a socket ${JSON.stringify(name)} that no listener asks for`);
}

/** Says that another configuration is in force. */
export function announceReload(log: Logger, gateway: Gateway): void {
  log.info({}, 'the configuration was read anew, and is in force');
  announceAddresses(log, gateway);
}

function announceAddresses(log: Logger, { http, grpc, metrics }: Gateway): void {
  for (const address of http) log.info({ http: formatAddress(address) }, `HTTP on ${formatAddress(address)}`);
  for (const address of grpc) log.info({ grpc: formatAddress(address) }, `gRPC on ${formatAddress(address)}`);
  for (const address of metrics) log.info({ metrics: formatAddress(address) }, `metrics on ${formatAddress(address)}`);
}

function policyText({ principals, htpasswd }: Config, anonymous: Access): string {
  const callers = { 'read-only': 'read, and nothing else', append: 'read and add', full: 'read, add and delete' };
  const may = anonymous === 'none' ? '' : `: callers may ${callers[anonymous]}`;
  if (principals.length === 0 && htpasswd === undefined) return `access ${anonymous}${may}`;
  const count = principals.length === 1 ? '1 principal' : `${principals.length} principals`;
  return `access ${anonymous} without logging in${may}; ${count} may do what is granted to each`;
}

function durabilityText(durable: boolean): string {
  return durable ? 'what is put is synced to disk before it is acknowledged' : 'what is put is NOT synced to disk';
}
