import { formatLocation } from '../backends/backends.js';
import { formatAddress } from '../core/address.js';
import { formatDuration } from '../lib/format-duration.js';
import { isLoopback } from '../lib/ip-address.js';
import { isLocalOnly } from './address.js';
import { anonymouslyAccessibleStores, anonymouslyReadableListeners, nameStores } from './anonymous-access.js';
import { mirrorWarnings } from './mirror-warnings.js';
import type { Config, ListenerConfig, StoreConfig } from './types.js';

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
    ...config.principals.flatMap((each) => adminElsewhere(config, each)),
    ...unwatched(config),
    ...readableMailPassword(config),
    ...sharedLocations(config),
    ...[...config.stores].flatMap(shortTimes),
    ...verifiedAnew(config),
    ...mirrorWarnings(config),
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
  const isAdmin = protocol === 'admin';
  if (isAdmin && config.adminToken === undefined && !config.principals.some(({ admin }) => admin)) {
    return [
      `anyone who can reach ${where} may read the metrics, which include the names of stores and principals; the status page is refused ` +
        'there: set admin-token, or admin: true for a principal, and both need a login',
    ];
  }
  const hasLogin =
    isAdmin || config.htpasswd !== undefined || config.principals.some(({ tokens }) => tokens.length > 0);
  if (tls || !hasLogin) return [];
  return [`${where} doesn't use TLS: tokens and passwords sent there can be read by others on the network`];
}

function withoutAccess({ name, access, admin }: Config['principals'][number]): string[] {
  if (admin || [...access.values()].some((each) => each !== 'none')) return [];
  return [`${name} can log in but has no access to any store: list stores in its access`];
}

/** The admins that may not use any listener with the status page. */
function adminElsewhere(
  { listeners }: Config,
  { name, admin, listeners: own }: Config['principals'][number],
): string[] {
  const pages = listeners.filter(({ protocol }) => protocol === 'admin');
  if (!admin || pages.length === 0 || pages.some((each) => own?.has(each.name) !== false)) return [];
  return [`${name} is an admin, but its listeners don't include one of admin-listen: add it`];
}

/** Overdue backups that only the log would report, and what a restart forgets. */
function unwatched({ principals, notify, listeners, stateDir }: Config): string[] {
  const { name } = principals.find(({ expectBackupMs }) => expectBackupMs.size > 0) ?? {};
  const isNotified = notify.webhooks.length > 0 || notify.mail !== undefined;
  const isShown = listeners.some(({ protocol }) => protocol === 'admin');
  return [
    ...(name !== undefined && !isNotified && !isShown
      ? [`backups of ${name} are expected, but only the log tells when one is overdue: set notify or admin-listen`]
      : []),
    ...((name !== undefined || isNotified) && stateDir === undefined
      ? ['at a restart, the times of the last backups and unsent notifications are forgotten: set state-dir']
      : []),
  ];
}

function verifiedAnew({ stores, stateDir }: Config): string[] {
  const verified = [...stores].filter(([, { verification }]) => verification !== undefined).map(([name]) => name);
  if (stateDir !== undefined || verified.length === 0) return [];
  return [`at a restart, the verification of ${nameStores(verified)} begins anew with the first object: set state-dir`];
}

function readableMailPassword({ notify: { mail } }: Config): string[] {
  if (mail?.tls !== 'offered' || mail.password === undefined || mail.host === 'localhost' || isLoopback(mail.host))
    return [];
  return [
    `the password for ${mail.host} is sent in the clear if that server doesn't offer STARTTLS: write smtp+starttls:// or smtps://`,
  ];
}

/** Plain numbers are seconds, which is easily overlooked. */
function shortTimes([name, { retentionMs, trashMs }]: [string, StoreConfig]): string[] {
  return Object.entries({ retention: retentionMs, trash: trashMs })
    .filter(([, ms]) => ms > 0 && ms < 3_600_000)
    .map(([what, ms]) => `${what} of ${nameStores([name])} is only ${formatDuration(ms)}: days are written as in 30d`);
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
