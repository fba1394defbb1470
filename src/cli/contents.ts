import type { ObjectKind, ObjectRef } from '../core/object.js';
import type { ObjectStat } from '../core/store.js';
import type { TrashedObject } from '../core/trash.js';
import { statAll, statTrashed } from '../core/stat-all.js';
import { forEachAhead } from '../lib/for-each-ahead.js';
import type { Tally } from '../replication/report.js';
import type { Subject } from './store-command.js';

/** A packfile or state, with its size in bytes and the time of its arrival in milliseconds since 1970. */
export interface Arrived {
  readonly ref: ObjectRef;
  readonly size: number;
  readonly arrivedMs: number;
}

/** The same in the trash. */
export interface Trashed extends Arrived {
  readonly object: TrashedObject;
  readonly deletedMs: number;
}

/** How many objects are looked at, and with how many something is done, at the same time. */
const lookConcurrency = 32;
const workConcurrency = 8;

const titles = { packfile: 'packfiles', state: 'states', lock: 'locks' } as const satisfies Record<ObjectKind, string>;

/** All objects of a kind that the store has. */
export async function* present(
  { store, ctx, progress }: Pick<Subject, 'store' | 'ctx' | 'progress'>,
  kind: ObjectKind,
): AsyncGenerator<Arrived, void, undefined> {
  let looked = 0;
  for await (const { mac, size, modifiedMs } of statAll(store, kind, ctx, lookConcurrency)) {
    progress.show(`${titles[kind]} looked at`, ++looked);
    yield { ref: { kind, mac }, size, arrivedMs: modifiedMs };
  }
}

/** What is in the trash, as far as it was chosen, in the trash's order. What is purged meanwhile is left out. */
export async function* trashed(
  { trash, ctx, progress }: Subject,
  isChosen: (object: TrashedObject) => boolean = () => true,
): AsyncGenerator<Trashed, void, undefined> {
  let looked = 0;
  for await (const [object, { size, modifiedMs }] of statTrashed(trash, ctx, lookConcurrency, isChosen)) {
    progress.show('looked at in the trash', ++looked);
    const { ref, deletedMs } = object;
    yield { ref, size, arrivedMs: modifiedMs, object, deletedMs };
  }
}

/** Does something with each of the items, in their order, some at a time. Fails with the first error, when nothing is being done any more. */
export async function forAll<T>(
  items: readonly T[],
  what: string,
  { progress }: Pick<Subject, 'progress'>,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  let done = 0;
  await forEachAhead(items, workConcurrency, async (item) => {
    await work(item);
    progress.show(what, ++done, items.length);
  });
}

/**
 * Whether the store's object of the same name is this one: a restore was interrupted then when it was in both places, and the same restore
 * ends it.
 */
export function isHalfRestored(object: Trashed, other: ObjectStat | undefined): boolean {
  return other !== undefined && other.size === object.size && other.modifiedMs === object.arrivedMs;
}

/** Adds a packfile or state to a tally. */
export function addTo(tally: Tally, { ref: { kind }, size }: Arrived): void {
  if (kind !== 'lock') tally.add(kind, size);
}

/** Identifies an object in maps and sets. */
export function keyOf({ kind, mac }: ObjectRef): string {
  return `${kind} ${mac}`;
}

/** Packfiles before the states that need them, and the oldest first. */
export function inOrderOfArrival(a: Arrived, b: Arrived): number {
  return a.ref.kind === b.ref.kind ? a.arrivedMs - b.arrivedMs : a.ref.kind === 'packfile' ? -1 : 1;
}
