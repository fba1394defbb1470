import type { MachineStatus, Status } from '../../watch/status.js';
import { strip } from './charts.js';
import { bytes, duration, foreign, moment, storeName } from './format.js';
import { html, type Html } from './html.js';
import { mark } from './marks.js';
import { table, type Column } from './table.js';
import { addressOf, type View } from './view.js';

const maxRows = 200;

/** The machines: those that are overdue first, then by name. */
export function machines(status: Status, view: View): Html {
  if (status.machines.length === 0)
    return html`<p class="empty">No machine has backed up yet, and none is expected to.</p>`;
  return table({
    name: 'machines',
    caption: 'Backups of each machine, overdue ones first',
    columns: columnsAt(status.nowMs),
    rows: status.machines.toSorted(byUrgency),
    limit: view.all ? Infinity : maxRows,
    allAt: addressOf({ ...view, all: true }),
    className: ({ isOverdue }) => (isOverdue ? 'overdue' : ''),
  });
}

function columnsAt(nowMs: number): Column<MachineStatus>[] {
  return [
    { label: 'Machine', is: 'name', cell: ({ principal }) => principal },
    { label: 'State', is: 'plain', cell: stateOf },
    {
      label: 'Store',
      is: 'plain',
      cell: ({ store }) => html`<a href="${addressOf({ store, all: false })}">${storeName(store)}</a>`,
    },
    {
      label: 'Last backup',
      cell: ({ lastBackup, lastFailure }) => [
        lastBackup === undefined ? 'never' : moment(lastBackup.endMs, nowMs),
        lastFailure !== undefined &&
          html`<p class="failure">
            failed
            ${moment(lastFailure.endMs, nowMs)}${lastFailure.reason !== undefined && html`: ${foreign(lastFailure.reason)}`}
          </p>`,
      ],
    },
    { label: 'Took', is: 'number', cell: ({ lastBackup: last }) => last && duration(last.endMs - last.startMs) },
    { label: 'New', is: 'number', cell: ({ lastBackup: last }) => last && bytes(last.newBytes) },
    { label: 'Last 30 days', is: 'wide', cell: ({ days }) => strip(days) },
    {
      label: 'Due',
      cell: ({ dueMs, expectedMs }) => [
        dueMs !== undefined && moment(dueMs, nowMs),
        expectedMs !== undefined && html` <small>every ${duration(expectedMs)}</small>`,
      ],
    },
  ];
}

function stateOf(machine: MachineStatus): Html {
  if (machine.isOverdue) return mark('bad', 'overdue');
  if (machine.lastFailure !== undefined) return mark('warn', 'failed');
  if (machine.expectedMs === undefined) return mark('plain', 'not expected');
  return isAwaited(machine) ? mark('plain', 'no backup yet') : mark('good', 'on time');
}

/** Whether a first backup is expected, and there is still time for it. */
export function isAwaited({ isOverdue, expectedMs, lastBackup }: MachineStatus): boolean {
  return expectedMs !== undefined && lastBackup === undefined && !isOverdue;
}

/** How many machines have a row that something holds for: a machine with several stores has several rows. */
export function machineCount(rows: readonly MachineStatus[], holds: (row: MachineStatus) => boolean): number {
  return new Set(rows.filter(holds).map(({ principal }) => principal)).size;
}

function byUrgency(a: MachineStatus, b: MachineStatus): number {
  if (a.isOverdue !== b.isOverdue) return a.isOverdue ? -1 : 1;
  return compare(a.principal, b.principal) || compare(a.store, b.store);
}

const compare = new Intl.Collator('en', { numeric: true }).compare;
