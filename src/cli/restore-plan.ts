import { ifPresent } from '../core/errors.js';
import type { ObjectRef } from '../core/object.js';
import type { ObjectStat } from '../core/store.js';
import {
  inOrderOfArrival,
  isHalfRestored,
  keyOf,
  forAll,
  present,
  trashed,
  type Arrived,
  type Trashed,
} from './contents.js';
import { findLocks } from './lock-list.js';
import type { Subject } from './store-command.js';

/** An object to bring back. */
export interface Lost extends Trashed {
  /** Whether another object has its name now, which arrived after the moment. */
  readonly isReplaced: boolean;
}

/** What differs from the moment. */
export interface Plan {
  /** Was there at the moment and was deleted afterwards. */
  readonly packfiles: readonly Lost[];
  readonly states: readonly Lost[];
  /** States that arrived after the moment, the oldest first. */
  readonly later: readonly Arrived[];
  /** How many states there were at the moment, as far as they can be had. */
  readonly statesThen: number;
  /** How many locks there are that are still refreshed. */
  readonly locks: number;
}

/** Finds out what differs from a moment, in milliseconds since 1970. */
export async function differences(subject: Subject, asOfMs: number): Promise<Plan> {
  const { store, ctx } = subject;
  const candidates = await trashedThen(subject, asOfMs);
  const lost: Lost[] = [];
  await forAll([...candidates.values()], 'looked for in the store', subject, async (each) => {
    const other = await ifPresent(store.stat(each.ref, ctx));
    const isReplaced = other !== undefined && (await arrivalOf(each.ref, other, asOfMs, subject)) > asOfMs;
    if (other === undefined || isReplaced || isHalfRestored(each, other)) lost.push({ ...each, isReplaced });
  });
  lost.sort(inOrderOfArrival);
  const states = lost.filter(({ ref }) => ref.kind === 'state');
  const replaced = new Set(states.map(({ ref }) => keyOf(ref)));
  const later: Arrived[] = [];
  const anew: Arrived[] = [];
  let statesThen = states.length;
  for await (const state of present(subject, 'state')) {
    if (state.arrivedMs <= asOfMs) statesThen++;
    else if (!replaced.has(keyOf(state.ref))) anew.push(state);
  }
  await forAll(anew, 'states looked at', subject, async (state) => {
    const arrivedMs = await arrivalOf(state.ref, { modifiedMs: state.arrivedMs }, asOfMs, subject);
    if (arrivedMs <= asOfMs) statesThen++;
    else later.push(state);
  });
  later.sort(inOrderOfArrival);
  const locks = (await findLocks(subject)).filter(({ isStale }) => !isStale).length;
  return { packfiles: lost.filter(({ ref }) => ref.kind === 'packfile'), states, later, statesThen, locks };
}

/** Of what was deleted after the moment, by name, what was there at the moment. */
async function trashedThen(subject: Subject, asOfMs: number): Promise<Map<string, Trashed>> {
  const { trash, ctx } = subject;
  const candidates = new Map<string, Trashed>();
  const anew: Trashed[] = [];
  for await (const each of trashed(subject, ({ deletedMs }) => deletedMs > asOfMs)) {
    const other = candidates.get(keyOf(each.ref));
    if (each.arrivedMs > asOfMs) anew.push(each);
    else if (other === undefined || isLater(each, other)) candidates.set(keyOf(each.ref), each);
  }
  // A candidate may be what was damaged, and the one that replaced it may have been deleted as well.
  const replaced = anew.filter(({ ref }) => candidates.has(keyOf(ref)));
  await forAll(replaced, 'looked at in the trash', subject, async (each) => {
    const firstMs = await ifPresent(trash.firstArrival?.(each.object, ctx) ?? Promise.resolve(undefined));
    const isRepaired = firstMs !== undefined && firstMs <= asOfMs;
    const other = candidates.get(keyOf(each.ref));
    if (isRepaired && other !== undefined && each.deletedMs > other.deletedMs) candidates.set(keyOf(each.ref), each);
  });
  return candidates;
}

/** Whether an object arrived later than another of its name, or at the same time and was deleted later: a repair keeps the time of the arrival. */
function isLater(one: Trashed, other: Trashed): boolean {
  return one.arrivedMs > other.arrivedMs || (one.arrivedMs === other.arrivedMs && one.deletedMs > other.deletedMs);
}

/** When an object of the store had arrived, which a repair in a bucket makes arrive anew. */
async function arrivalOf(
  ref: ObjectRef,
  { modifiedMs }: Pick<ObjectStat, 'modifiedMs'>,
  asOfMs: number,
  { store, ctx }: Subject,
): Promise<number> {
  const firstMs = modifiedMs > asOfMs ? await store.firstArrival?.(ref, ctx) : undefined;
  return firstMs ?? modifiedMs;
}
