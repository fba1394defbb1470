import { loadConfig, type Loaded, type SettingSources } from '../config/load.js';
import { settingNames, settings as definitions } from '../config/definition.js';
import { formatSize } from '../config/values.js';
import { formatDuration } from '../lib/format-duration.js';
import { formatMoment } from '../core/moment.js';
import { formatAddress } from '../core/address.js';
import { formatLocation } from '../backends/backends.js';
import type { ListenerConfig, NotifyConfig, PrincipalConfig, StoreConfig, TokenConfig } from '../config/types.js';
import { eventNames } from '../core/event.js';
import { namedFiles, storesInS3, type StoreUser } from './check-resources.js';
import { columns } from './columns.js';
import { printed, refused, type Outcome } from './outcome.js';

/** Settings with a paragraph of their own. */
const summarized: ReadonlySet<string> = new Set([
  'listen',
  'grpc-listen',
  'admin-listen',
  'stores',
  'principals',
  'notify',
]);

/**
 * Checks settings as `serve` does, the files that they name and the stores in S3, and prints the resulting configuration without secrets.
 *
 * @param usageProblems problems with the command line, to be reported with the others
 */
export async function checkConfig(
  from: SettingSources & StoreUser,
  usageProblems: readonly string[] = [],
): Promise<Outcome> {
  const loaded = await loadConfig(from);
  const problems = [...usageProblems, ...('problems' in loaded ? loaded.problems : [])];
  if ('problems' in loaded || problems.length > 0) return refused(problems);
  const files = await namedFiles(loaded.config);
  if (files.problems.length > 0) return refused(files.problems, 1);
  const stores = await storesInS3(loaded.config, from);
  if (stores.problems.length > 0) return refused(stores.problems, 1);
  const warnings = [...loaded.warnings, ...files.warnings, ...stores.warnings];
  return printed(summary(loaded), warnings.map((warning) => `warning: ${warning}\n`).join(''));
}

function summary(loaded: Loaded): string {
  const { config, configFiles } = loaded;
  const paragraphs = {
    Listeners: config.listeners.map(listenerRow),
    Stores: [...config.stores].map(storeRow),
    Principals: config.principals.map(principalRow),
    Notifications: notifyRows(config.notify),
    'Other settings': settingRows(loaded),
  };
  const texts = Object.entries(paragraphs)
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => `\n${title}:\n${columns(rows)}`);
  return `OK: ${configFiles.join(', ') || 'no configuration file'}\n${texts.join('')}`;
}

function listenerRow(listener: ListenerConfig): string[] {
  const { name, protocol, address, maxAccess, tls, mode, owner } = listener;
  const written = formatAddress(address);
  const extras = [
    name === written ? '' : `name ${name}`,
    tls ? 'TLS' : '',
    maxAccess === 'full' || protocol === 'admin' ? '' : `at most ${maxAccess}`,
    mode === undefined ? '' : `mode ${mode.toString(8).padStart(4, '0')}`,
    owner === undefined ? '' : `owner ${owner.user ?? ''}${owner.group === undefined ? '' : `:${owner.group}`}`,
  ];
  return [{ http: 'HTTP', grpc: 'gRPC', admin: 'admin' }[protocol], written, list(extras)];
}

function storeRow([name, store]: [string, StoreConfig]): string[] {
  const { location, anonymous, quotaBytes, quotaIncludesTrash, retentionMs, trashMs, asOfMs, digests, s3 } = store;
  const where = location === 'sample' ? 'the sample store' : formatLocation(location);
  const counted = quotaIncludesTrash ? '' : ' without its trash';
  const quota = quotaBytes === undefined ? '' : `quota ${formatSize(quotaBytes)}${counted}`;
  const extras = [
    retentionMs > 0 ? `retention ${formatDuration(retentionMs)}` : '',
    trashMs > 0 ? `trash ${formatDuration(trashMs)}` : '',
    asOfMs === undefined ? '' : `as of ${formatMoment(asOfMs)}`,
    digests === undefined ? '' : `digests ${digests}`,
    mirrorText(store),
    verificationText(store),
    s3?.objectLock === undefined ? '' : `object lock ${s3.objectLock}`,
    s3?.tls === false ? 'plain HTTP' : '',
  ];
  return [storeText(name), where, list([`anonymous: ${anonymous}`, quota, ...extras])];
}

function mirrorText({ mirror }: StoreConfig): string {
  if (mirror === undefined) return '';
  const { direction, location, everyMs, readFallback } = mirror;
  const parts = [
    `mirror ${direction} ${formatLocation(location)} every ${formatDuration(everyMs)}`,
    rateText(mirror),
    readFallback ? 'with read-fallback' : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function verificationText({ verification }: StoreConfig): string {
  if (verification === undefined) return '';
  return `verified every ${formatDuration(verification.everyMs)} ${rateText(verification)}`;
}

function rateText({ bytesPerSecond }: { readonly bytesPerSecond: number | undefined }): string {
  return bytesPerSecond === undefined ? '' : `at ${formatSize(bytesPerSecond)} per second`;
}

function principalRow(principal: PrincipalConfig): string[] {
  const { name, tokens, certificates, access, listeners, admin, expectBackupMs, pings } = principal;
  const proofs = [...tokens.map(tokenText), ...certificates];
  if (proofs.length === 0) proofs.push('no token');
  const levels = [...access].map(([store, level]) => `${storeText(store)}: ${level}`);
  if (levels.length === 0) levels.push('no access');
  const through = listeners === undefined ? '' : `through ${[...listeners].join(', ')}`;
  const watched = [...expectBackupMs].map(([store, ms]) => `${storeText(store)} every ${formatDuration(ms)}`);
  const extras = [
    admin ? 'admin' : '',
    watched.length > 0 ? `expected: ${list(watched)}` : '',
    pings.size > 0 ? `pings: ${[...pings.keys()].map(storeText).join(', ')}` : '',
  ];
  return [name, list(proofs), list(levels), through, extras.filter((each) => each !== '').join('; ')];
}

/** Of URLs, only the hosts: the rest may be a secret. */
function notifyRows({ webhooks, mail }: NotifyConfig): string[][] {
  const rows = webhooks.map(({ url, secret, events }) => [
    'webhook',
    new URL(url).host,
    secret === undefined ? 'not signed' : 'signed',
    eventsText(events),
  ]);
  if (mail === undefined) return rows;
  const { host, port, to, events } = mail;
  return [...rows, ['mail', formatAddress({ host, port }), `to ${to.join(', ')}`, eventsText(events)]];
}

function eventsText(events: ReadonlySet<string>): string {
  return eventNames.every((name) => events.has(name))
    ? 'all events'
    : [...events].filter((name) => name !== 'test').join(', ');
}

function storeText(store: string): string {
  return store === '' ? '(default)' : store;
}

function tokenText({ expiresMs }: TokenConfig): string {
  return expiresMs === undefined ? 'token' : `token until ${new Date(expiresMs).toISOString().slice(0, 19)}Z`;
}

/** The value of each other setting, and its origin. */
function settingRows({ sources }: Loaded): string[][] {
  const { settings } = sources;
  return settingNames
    .filter((name) => !summarized.has(name))
    .flatMap((name) => {
      const origin = sources.originOf(name);
      const value = origin === undefined ? definitions[name].defaultText : settings[name];
      if (value === undefined || name === 'location') return [];
      const from = { flag: 'option', variable: 'environment', file: 'file' };
      const text = name === 'admin-token' ? 'a hash' : Array.isArray(value) ? value.join(', ') : String(value);
      return [[name, text, origin === undefined ? '' : from[origin]]];
    });
}

function list(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(', ');
}
