import type { Status, StoreStatus } from '../../watch/status.js';
import { bars, meter } from './charts.js';
import { age, bytes, count, foreign, moment, plural, storeName } from './format.js';
import { html, type Html, type Part } from './html.js';
import { mark } from './marks.js';
import { table, type Column } from './table.js';
import { mirrorCell, objectsCell } from './upkeep.js';
import { addressOf, type View } from './view.js';

/**
 * A lock that was last written so long ago needs a look, as in the alerts. plakar refreshes its locks every 5 minutes, and takes one for stale
 * after 10. The other 5 allow for clocks that differ, and for the next client, which deletes stale locks by itself.
 */
export const staleLockMs = 15 * 60_000;

/** The stores: what is in them, how they grow, and how their backends are. */
export function stores(status: Status, view: View): Html {
  return table({
    name: 'stores',
    caption: 'Stores, their sizes and the state of their backends',
    columns: columnsOf(status),
    rows: status.stores,
    limit: Infinity,
    allAt: addressOf(view),
    className: ({ isReachable }) => (isReachable === false ? 'overdue' : ''),
  });
}

function columnsOf({ nowMs, warnFreeBytes, stores: all }: Status): Column<StoreStatus>[] {
  const has = (part: 'mirror' | 'verification'): boolean => all.some((store) => store[part] !== undefined);
  return [
    {
      label: 'Store',
      is: 'name',
      cell: ({ name }) => html`<a href="${addressOf({ store: name, all: false })}">${foreign(storeName(name))}</a>`,
    },
    { label: 'Backend', is: 'plain', cell: reachability },
    {
      label: 'Size',
      is: 'number',
      cell: (store) =>
        store.bytes === undefined
          ? 'not counted yet'
          : html`${bytes(store.bytes)}
            ${store.objects !== undefined && html`<small>${plural(store.objects, 'object')}</small>`}`,
    },
    { label: 'Added in 30 days', is: 'wide', cell: growth },
    { label: 'Quota', cell: quota },
    {
      label: 'Free on disk',
      is: 'number',
      cell: (store) => free(store, warnFreeBytes),
    },
    { label: 'Locks', cell: (store) => locks(store, nowMs) },
    {
      label: 'Newest state',
      cell: ({ newestStateMs }) => (newestStateMs === undefined ? '' : moment(newestStateMs, nowMs)),
    },
    ...(has('mirror') ? [{ label: 'Mirror', cell: ({ mirror }: StoreStatus) => mirrorCell(mirror) }] : []),
    ...(has('verification')
      ? [{ label: 'Objects checked', cell: ({ verification }: StoreStatus) => objectsCell(verification, nowMs) }]
      : []),
  ];
}

function reachability({ isReachable, problem }: StoreStatus): Html {
  if (isReachable === undefined) return mark('plain', 'not looked at yet');
  if (isReachable) return mark('good', 'reachable');
  return html`${mark('bad', 'unreachable')}${problem !== undefined && html`<p class="failure">${foreign(problem)}</p>`}`;
}

function growth({ addedBytes }: StoreStatus): Html {
  const sum = addedBytes.reduce((total, each) => total + each, 0);
  if (sum === 0) return html`<span class="none">nothing</span>`;
  const today = addedBytes.at(-1) ?? 0;
  const most = Math.max(0, ...addedBytes);
  const label = `added in ${plural(addedBytes.length, 'day')}: ${bytes(sum)}, at most ${bytes(most)} on a day, ${bytes(today)} today`;
  return html`<span class="growth"
    >${bars(addedBytes, label)}<span>+${bytes(sum)} <small>${bytes(today)} today</small></span></span
  >`;
}

function quota({ bytes: used, quotaBytes }: StoreStatus): Part {
  if (quotaBytes === undefined) return 'none';
  if (used === undefined) return bytes(quotaBytes);
  const percent = Math.floor((used / quotaBytes) * 100);
  return html`${meter(used, quotaBytes)}<span>${percent} % of ${bytes(quotaBytes)}</span>`;
}

function free(store: StoreStatus, warnFreeBytes: number): Part {
  if (store.freeBytes === undefined) return 'unknown';
  const text = bytes(store.freeBytes);
  return isDiskNearlyFull(store, warnFreeBytes) ? mark('bad', text) : text;
}

/** @param warnFreeBytes less than that is little; 0: nothing is */
export function isDiskNearlyFull({ freeBytes = Infinity }: StoreStatus, warnFreeBytes: number): boolean {
  return freeBytes < warnFreeBytes;
}

function locks({ locks: held, oldestLockMs }: StoreStatus, nowMs: number): Part {
  if (held === undefined) return '';
  if (held === 0 || oldestLockMs === undefined) return count(held);
  const old = age(nowMs - oldestLockMs);
  return html`${count(held)}, ${nowMs - oldestLockMs > staleLockMs ? mark('warn', `oldest ${old}`) : `oldest ${old}`}`;
}
