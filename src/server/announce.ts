import { formatLocation } from '../backends/backends.js';
import type { Config, StoreConfig } from '../config/types.js';
import type { Access } from '../core/access.js';
import { formatAddress } from '../core/address.js';
import { formatMoment } from '../core/moment.js';
import { formatDuration } from '../lib/format-duration.js';
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
    const { anonymous = 'none', ...settings } = config.stores.get(name) ?? {};
    const what = name === '' ? location : `${location} as ${name}`;
    const { instance } = config;
    const fields = { store: name, location, access: anonymous, durable, version, instance };
    const texts = [policyText(config, anonymous), ...keepingTexts(settings, durable, isInS3(settings))];
    log.info(fields, `serving ${what}; ${texts.join('; ')}`);
    announceQuota(log, name, config);
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

/** Stores in S3 are those that several gateways serve. */
function announceQuota(log: Logger, name: string, { stores }: Config): void {
  const { quotaBytes, ...store } = stores.get(name) ?? {};
  if (quotaBytes === undefined || !isInS3(store)) return;
  const who = name === '' ? 'the default store' : name;
  log.info(
    { store: name },
    `the quota of ${who} is this gateway's own count: what other gateways or plakar's connector put into the bucket counts from the next ` +
      'count of the whole store on, an hour after the last one or later',
  );
}

function announceAddresses(log: Logger, { http, grpc, admin }: Gateway): void {
  for (const address of http) log.info({ http: formatAddress(address) }, `HTTP on ${formatAddress(address)}`);
  for (const address of grpc) log.info({ grpc: formatAddress(address) }, `gRPC on ${formatAddress(address)}`);
  for (const address of admin)
    log.info({ admin: formatAddress(address) }, `status and metrics on ${formatAddress(address)}`);
}

function policyText({ principals, htpasswd }: Config, anonymous: Access): string {
  const text = `anonymous access: ${anonymous}`;
  if (principals.length === 0 && htpasswd === undefined) return text;
  return `${text}, and ${principals.length} principal${principals.length === 1 ? '' : 's'} with their own access`;
}

/** What is done with what is put and deleted. */
function keepingTexts(
  { asOfMs, retentionMs = 0, trashMs = 0, digests, mirror }: Partial<StoreConfig>,
  durable: boolean,
  inS3: boolean,
): string[] {
  if (asOfMs !== undefined) return [`as it was at ${formatMoment(asOfMs)}, read-only`];
  return [
    inS3 ? 'uploads are acknowledged once the S3 service has them' : durabilityText(durable),
    ...(retentionMs > 0 ? [`nothing is deleted for ${formatDuration(retentionMs)}`] : []),
    ...(trashMs > 0 ? [`deletes go to the trash for ${formatDuration(trashMs)}`] : []),
    ...(mirror === undefined ? [] : [`mirrored ${mirror.direction} ${formatLocation(mirror.location)}`]),
    ...(digests === undefined ? [] : ['digests are recorded']),
  ];
}

function isInS3({ location }: Partial<Pick<StoreConfig, 'location'>>): boolean {
  return typeof location === 'object' && location.scheme === 's3';
}

function durabilityText(durable: boolean): string {
  return durable ? 'uploads are synced to disk before they are acknowledged' : 'uploads are NOT synced to disk';
}
