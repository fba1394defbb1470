import { formatBytes } from '../lib/format-bytes.js';
import { total, type Sum } from '../replication/report.js';
import { columns } from './columns.js';
import type { InfoCommand } from './command-types.js';
import type { Arrived } from './contents.js';
import { takeStock, type Inventory } from './inventory.js';
import { lockJson, lockRows, locksText } from './lock-list.js';
import type { StoreContext } from './named-store.js';
import { jsonText, objectJson, sumsText, timeText } from './object-text.js';
import { printed, type Outcome } from './outcome.js';
import { withStore } from './store-command.js';

/** Shows what a store has. */
export async function info(command: InfoCommand, context: StoreContext): Promise<Outcome> {
  return withStore(command, { writable: false, trashes: false }, context, async (subject) => {
    const inventory = await takeStock(subject);
    return printed(command.json ? jsonText(document(subject.title, inventory)) : text(subject.title, inventory));
  });
}

function document(title: string, inventory: Inventory): object {
  const { config, format, objects, first, last, months, largest, locks, leftovers, freeBytes } = inventory;
  const { repositoryId, createdMs, isEncrypted, encryption, hashing, compression } = config;
  return {
    store: title,
    repositoryId: uuid(repositoryId),
    created: time(createdMs),
    format,
    encrypted: isEncrypted,
    encryption,
    hashing,
    compression,
    objects,
    firstArrival: time(first?.arrivedMs),
    lastArrival: time(last?.arrivedMs),
    months: months.map(([month, sums]) => ({ month, ...sums })),
    largest: largest.map(objectJson),
    locks: locks.map(lockJson),
    ...leftovers,
    freeBytes,
  };
}

function text(title: string, inventory: Inventory): string {
  const { months, largest, locks } = inventory;
  const tables = [
    ...(months.length === 0 ? [] : [`By month of arrival (UTC):\n${columns([monthTitles, ...months.map(monthRow)])}`]),
    ...(largest.length === 0 ? [] : [`The largest:\n${columns([largestTitles, ...largest.map(largestRow)])}`]),
    ...(locks.length === 0 ? [] : [`Locks:\n${columns(lockRows(locks))}`]),
  ];
  return [`${title}:\n${columns(overview(inventory))}`, ...tables].join('\n');
}

function overview({ config, format, objects, first, last, locks, leftovers, freeBytes }: Inventory): string[][] {
  const { repositoryId, createdMs, hashing, compression } = config;
  const { trash, unfinished, digests } = leftovers;
  return [
    ['repository', uuid(repositoryId) ?? unknown],
    ['created', timeOr(createdMs, unknown)],
    ['format', format ?? (objects.state.objects === 0 ? 'no state has arrived yet' : unknown)],
    ['encryption', encryptionText(config)],
    ['hashing', hashing ?? unknown],
    ['compression', compression ?? 'none'],
    ['objects', sumsText(objects)],
    ['first arrival', timeOr(first?.arrivedMs, 'none')],
    ['last arrival', timeOr(last?.arrivedMs, 'none')],
    ['locks', locks.length === 0 ? 'none' : locksText(locks)],
    ['trash', trash === undefined ? untold : total(trash).objects === 0 ? 'empty' : sumsText(trash)],
    ['unfinished uploads', unfinished === undefined ? untold : unfinishedText(unfinished)],
    ['digests', digests === undefined ? untold : digestsText(digests)],
    ...(freeBytes === undefined ? [] : [['free on its disk', formatBytes(freeBytes)]]),
  ];
}

const unknown = 'unknown';

/** Of what only the store's own machine or service can tell. */
const untold = 'not told here';

const monthTitles = ['month', 'packfiles', 'states', 'together'];

function monthRow([month, sums]: Inventory['months'][number]): string[] {
  return [month, sumText(sums.packfile), sumText(sums.state), formatBytes(total(sums).bytes)];
}

const largestTitles = ['size', 'kind', 'MAC', 'arrived'];

function largestRow({ ref, size, arrivedMs }: Arrived): string[] {
  return [formatBytes(size), ref.kind, ref.mac, timeText(arrivedMs)];
}

function encryptionText({ isEncrypted, encryption }: Inventory['config']): string {
  if (isEncrypted === undefined) return unknown;
  return isEncrypted ? (encryption ?? 'yes') : 'none: everyone who can read this store can read the backups';
}

function unfinishedText({ uploads, bytes }: NonNullable<Inventory['leftovers']['unfinished']>): string {
  if (uploads === 0) return 'none';
  return bytes === undefined ? `${uploads}` : `${uploads}, ${formatBytes(bytes)}`;
}

function digestsText({ segments, bytes }: NonNullable<Inventory['leftovers']['digests']>): string {
  if (segments === 0) return 'none';
  return `${formatBytes(bytes)} in ${segments} ${segments === 1 ? 'segment' : 'segments'}`;
}

function sumText({ objects, bytes }: Sum): string {
  return objects === 0 ? '-' : `${objects}, ${formatBytes(bytes)}`;
}

function time(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

function timeOr(ms: number | undefined, otherwise: string): string {
  return ms === undefined ? otherwise : timeText(ms);
}

/** A repository id as plakar shows it. */
function uuid(id: Uint8Array | undefined): string | undefined {
  return (
    id &&
    Buffer.from(id)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  );
}
