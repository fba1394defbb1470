import { formatBytes } from '../lib/format-bytes.js';
import { columns } from './columns.js';
import { present, trashed, type Arrived } from './contents.js';
import { jsonText, objectJson, timeText } from './object-text.js';
import { printed } from './outcome.js';
import type { UndoCommand } from './command-types.js';
import { Removals } from './removals.js';
import { momentOption, type Prepared, type Subject } from './store-command.js';

/** Some objects, and their bytes. */
interface Sum {
  count: number;
  bytes: number;
}

/** What arrived and went on a day of UTC. */
interface Day {
  readonly packfiles: Sum;
  readonly states: Sum;
  readonly deletedPackfiles: Sum;
  readonly deletedStates: Sum;
}

/** Shows what arrived and went, by day, and which states look like removals of snapshots. What is no longer in the trash has left no trace. */
export function history({ since, json }: UndoCommand, nowMs: number): Prepared {
  const problems: string[] = [];
  const sinceMs = momentOption('--since', since, nowMs, problems) ?? -Infinity;
  if (problems.length > 0) return { problems };
  return async (subject) => {
    const { days, removals } = await read(subject, sinceMs);
    return printed(json ? jsonText(document(subject, days, removals)) : text(subject, days, removals));
  };
}

async function read(subject: Subject, sinceMs: number): Promise<{ days: [string, Day][]; removals: Arrived[] }> {
  const days = new Map<string, Day>();
  const removals = new Removals();
  const add = (ms: number, kind: keyof Day, size: number): void => {
    if (ms < sinceMs) return;
    const name = timeText(ms).slice(0, 10);
    const day = days.get(name) ?? emptyDay();
    days.set(name, day);
    day[kind].count++;
    day[kind].bytes += size;
  };
  for await (const object of trashed(subject)) {
    const isPackfile = object.ref.kind === 'packfile';
    add(object.arrivedMs, isPackfile ? 'packfiles' : 'states', object.size);
    add(object.deletedMs, isPackfile ? 'deletedPackfiles' : 'deletedStates', object.size);
    if (isPackfile) removals.addPackfile(object.arrivedMs);
  }
  for await (const { size, arrivedMs } of present(subject, 'packfile')) {
    add(arrivedMs, 'packfiles', size);
    removals.addPackfile(arrivedMs);
  }
  const states: Arrived[] = [];
  for await (const state of present(subject, 'state')) {
    add(state.arrivedMs, 'states', state.size);
    if (state.arrivedMs >= sinceMs) states.push(state);
  }
  states.sort((a, b) => a.arrivedMs - b.arrivedMs);
  return {
    days: [...days].sort(([a], [b]) => (a < b ? -1 : 1)),
    removals: states.filter((state) => removals.has(state)),
  };
}

function document({ title }: Subject, days: readonly [string, Day][], removals: readonly Arrived[]): object {
  return {
    store: title,
    days: days.map(([day, sums]) => ({ day, ...sums })),
    looksLikeRemoval: removals.map((state) => ({ ...objectJson(state), before: momentBefore(state) })),
  };
}

function text({ title, call }: Subject, days: readonly [string, Day][], removals: readonly Arrived[]): string {
  if (days.length === 0) return `nothing arrived in ${title} and nothing went\n`;
  const heads = ['day (UTC)', 'packfiles', 'states', 'deleted packfiles', 'deleted states', ''];
  const marked = (day: string): number => removals.filter((each) => timeText(each.arrivedMs).startsWith(day)).length;
  const rows = days.map(([day, sums]) => {
    const { packfiles, states, deletedPackfiles, deletedStates } = sums;
    const cells = [packfiles, states, deletedPackfiles, deletedStates].map(sumText);
    return [day, ...cells, marked(day) === 0 ? '' : `looks like a removal: ${marked(day)}`];
  });
  const table = `${title}:\n${columns([heads, ...rows])}`;
  if (removals.length === 0) return table;
  const suspects = [
    ['arrived', 'size', 'MAC of the state', 'the moment before'],
    ...removals.map((each) => [timeText(each.arrivedMs), formatBytes(each.size), each.ref.mac, momentBefore(each)]),
  ];
  return (
    `${table}\nStates that look like removals of snapshots (plakar's maintenance puts such states, too):\n` +
    `${columns(suspects)}\nTo see what undoing them takes: ${call('restore-states', '--as-of', 'MOMENT')}\n`
  );
}

/** A moment when this had not arrived yet, to the second. */
function momentBefore({ arrivedMs }: Arrived): string {
  return timeText(arrivedMs - 1000);
}

function sumText({ count, bytes }: Sum): string {
  return count === 0 ? '-' : `${count}, ${formatBytes(bytes)}`;
}

function emptyDay(): Day {
  const none = (): Sum => ({ count: 0, bytes: 0 });
  return { packfiles: none(), states: none(), deletedPackfiles: none(), deletedStates: none() };
}
