import type { OpenSession, Session } from '../../watch/session.js';
import type { Refusal, Status } from '../../watch/status.js';
import { bytes, count, duration, foreign, moment, storeName } from './format.js';
import { html, type Html, type Part } from './html.js';
import { mark } from './marks.js';
import { table, type Column, type TableOptions } from './table.js';
import { addressOf, type View } from './view.js';

const maxRows = 20;

interface Origin {
  readonly principal: string;
  readonly address: string;
  readonly store: string;
}

const origin: readonly Column<Origin>[] = [
  {
    label: 'Machine',
    is: 'name',
    cell: ({ principal, address }) => html`${foreign(principal)} <small>${foreign(address)}</small>`,
  },
  { label: 'Store', is: 'plain', cell: ({ store }) => foreign(storeName(store)) },
];

/** The sessions that have not ended. */
export function openSessions({ openSessions: rows, nowMs }: Status, view: View): Html {
  const columns: Column<OpenSession>[] = [
    ...origin,
    { label: 'Kind', is: 'plain', cell: ({ kind }) => kind },
    { label: 'Began', cell: ({ startMs }) => moment(startMs, nowMs) },
    { label: 'New', is: 'number', cell: ({ newBytes }) => bytes(newBytes) },
    { label: 'Read', is: 'number', cell: ({ readBytes }) => bytes(readBytes) },
    { label: 'Rate', is: 'number', cell: ({ bytesPerSecond }) => `${bytes(bytesPerSecond)}/s` },
    { label: 'Last request', cell: ({ lastMs }) => moment(lastMs, nowMs) },
  ];
  return limited(view, { name: 'open', caption: 'Sessions under way', columns, rows }, 'No session is under way.');
}

/** The sessions that have ended, the newest first. */
export function endedSessions({ sessions: rows, nowMs }: Status, view: View): Html {
  const columns: Column<Session>[] = [
    ...origin,
    {
      label: 'Kind',
      is: 'plain',
      cell: ({ kind, checkpoints }) => [
        kind,
        checkpoints > 0 && html` <small>${count(checkpoints)} checkpoints</small>`,
      ],
    },
    { label: 'Outcome', is: 'plain', cell: outcome },
    { label: 'Ended', cell: ({ endMs }) => moment(endMs, nowMs) },
    { label: 'Took', is: 'number', cell: ({ startMs, endMs }) => duration(endMs - startMs) },
    { label: 'New', is: 'number', cell: ({ newBytes, newObjects }) => amount(newObjects, bytes(newBytes)) },
    {
      label: 'Deleted',
      is: 'number',
      cell: ({ deletedObjects }) => amount(deletedObjects, `${count(deletedObjects)} objects`),
    },
    { label: 'Read', is: 'number', cell: ({ readBytes }) => amount(readBytes, bytes(readBytes)) },
  ];
  return limited(
    view,
    { name: 'ended', caption: 'Sessions that have ended, the newest first', columns, rows },
    'No session has ended yet.',
  );
}

/** What was refused, the newest first. */
export function refusals({ refusals: rows, nowMs }: Status, view: View): Html {
  const columns: Column<Refusal>[] = [
    ...origin,
    { label: 'When', cell: ({ timeMs }) => moment(timeMs, nowMs) },
    { label: 'Operation', cell: ({ operation }) => operation },
    { label: 'Code', cell: ({ code }) => html`<code>${code}</code>` },
    { label: 'Reason', is: 'wide', cell: ({ reason }) => foreign(reason) },
  ];
  return limited(
    view,
    { name: 'refusals', caption: 'Requests that were refused, the newest first', columns, rows },
    'Nothing was refused.',
  );
}

function outcome({ outcome: how, reason }: Session): Part {
  if (how === 'completed') return mark('good', 'completed');
  return [mark('warn', 'failed'), reason !== undefined && html`<p class="failure">${foreign(reason)}</p>`];
}

function amount(value: number, text: string): Part {
  return value === 0 ? html`<span class="none">–</span>` : text;
}

function limited<Row>(view: View, options: Omit<TableOptions<Row>, 'limit' | 'allAt'>, empty: string): Html {
  if (options.rows.length === 0) return html`<p class="empty">${empty}</p>`;
  return table({ ...options, limit: view.all ? Infinity : maxRows, allAt: addressOf({ ...view, all: true }) });
}
