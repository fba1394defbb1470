import { formatBytes } from '../lib/format-bytes.js';
import { Tally, type Sums } from '../replication/report.js';
import { addTo, type Arrived, type Trashed } from './contents.js';

/* How objects are shown: to people and to programs. */

/** A moment to the second, in UTC. It can be typed as one: it isn't later than it was. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** `3 packfiles, 1.25 GiB`. */
export function countText(objects: readonly Arrived[], one: string): string {
  const bytes = objects.reduce((sum, { size }) => sum + size, 0);
  return sumText(objects.length, bytes, one);
}

/** `3 packfiles, 1.25 GiB, and 1 state, 512 B`. */
export function countsText(objects: readonly Arrived[]): string {
  const tally = new Tally();
  for (const object of objects) addTo(tally, object);
  return sumsText(tally);
}

/** The same for sums. */
export function sumsText({ packfile, state }: Sums): string {
  return `${sumText(packfile.objects, packfile.bytes, 'packfile')}, and ${sumText(state.objects, state.bytes, 'state')}`;
}

/** For programs: the times are in ISO 8601. */
export function objectJson({ ref, size, arrivedMs }: Arrived): object {
  return { kind: ref.kind, mac: ref.mac, bytes: size, arrived: new Date(arrivedMs).toISOString() };
}

/** For programs, with the time of its deletion. */
export function trashedJson(object: Trashed): object {
  return { ...objectJson(object), deleted: new Date(object.deletedMs).toISOString() };
}

/** A row for people. The cells of a column are of one width, so that tables can be printed in parts. */
export function trashedRow({ ref, size, arrivedMs, deletedMs }: Trashed): string[] {
  return [timeText(deletedMs), ref.kind.padEnd(8), ref.mac, formatBytes(size).padEnd(9), timeText(arrivedMs)];
}

export const trashedTitles = ['deleted', 'kind', 'MAC', 'size', 'arrived'];

/** The document of `--json`. */
export function jsonText(document: object): string {
  return `${JSON.stringify(document)}\n`;
}

function sumText(count: number, bytes: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}, ${formatBytes(bytes)}`;
}
