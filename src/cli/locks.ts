import { ifPresent } from '../core/errors.js';
import { durationText } from '../lib/duration-text.js';
import { columns } from './columns.js';
import type { LocksCommand } from './command-types.js';
import { forAll } from './contents.js';
import { ageOf, findLocks, lockJson, lockRows, locksText, type FoundLock } from './lock-list.js';
import type { StoreContext } from './named-store.js';
import { jsonText } from './object-text.js';
import { notDone, printed, refused, wrongUsage, type Outcome } from './outcome.js';
import { macProblems, withStore, type StoreSubject } from './store-command.js';

/** Lists a store's locks. */
export async function listLocks(command: LocksCommand, context: StoreContext): Promise<Outcome> {
  return withStore(command, { writable: false, trashes: false }, context, async (subject) => {
    const { title } = subject;
    const locks = await findLocks(subject);
    if (command.json) return printed(jsonText({ store: title, locks: locks.map(lockJson) }));
    if (locks.length === 0) return printed(`there are no locks in ${title}\n`);
    return printed(`${columns(lockRows(locks))}\nin ${title}: ${locksText(locks)}\n`);
  });
}

/** Removes the locks of clients that are gone, with `--apply`; otherwise shows which. Fresh ones are never removed. */
export async function removeLocks(command: LocksCommand, context: StoreContext): Promise<Outcome> {
  const { stale, macs, apply } = command;
  const problems = macProblems(macs);
  if (!stale && macs.length === 0) problems.push('say which locks: --stale, or --mac MAC');
  if (stale && macs.length > 0) problems.push('--stale and --mac both say which locks: leave out one of them');
  if (problems.length > 0) return wrongUsage(problems, command.name);
  return withStore(command, { writable: apply, trashes: false }, context, async (subject) => {
    const all = await findLocks(subject);
    const starts = macs.map((mac) => mac.toLowerCase());
    const missing = starts.filter((start) => !all.some((lock) => isNamed(lock, [start])));
    if (missing.length > 0)
      return refused(
        missing.map((start) => `there is no lock ${start}`),
        1,
      );
    const chosen = stale ? all.filter(({ isStale }) => isStale) : all.filter((lock) => isNamed(lock, starts));
    const fresh = chosen.filter(({ isStale }) => !isStale);
    if (fresh.length > 0) return refused([...fresh.map(freshText), freshAdvice], 1);
    const kept = apply ? await remove(chosen, subject) : new Set<FoundLock>();
    return reported(
      chosen.filter((lock) => !kept.has(lock)),
      kept.size,
      command,
      subject,
    );
  });
}

/** Removes locks. Resolves to those that were refreshed meanwhile, and stay. */
async function remove(locks: readonly FoundLock[], subject: StoreSubject): Promise<Set<FoundLock>> {
  const { store, ctx } = subject;
  const kept = new Set<FoundLock>();
  await forAll(locks, 'locks removed', subject, async (lock) => {
    const stat = await ifPresent(store.stat(lock.ref, ctx));
    if (stat === undefined) return;
    if (ageOf(stat.modifiedMs, Date.now()).isStale) await store.delete(lock.ref, ctx);
    else kept.add(lock);
  });
  return kept;
}

function reported(
  locks: readonly FoundLock[],
  kept: number,
  { apply, json }: LocksCommand,
  { title }: StoreSubject,
): Outcome {
  if (json)
    return printed(jsonText({ store: title, applied: apply, refreshedMeanwhile: kept, locks: locks.map(lockJson) }));
  const note = kept === 0 ? '' : `${kept} of the locks were refreshed meanwhile, and stay.\n`;
  if (locks.length === 0) return printed(`there is no stale lock in ${title}\n${note}`);
  const count = `${locks.length} ${locks.length === 1 ? 'lock' : 'locks'}`;
  if (apply) return printed(`removed: ${count}\n${note}`);
  return printed(`${columns(lockRows(locks))}\nto be removed from ${title}: ${count}\n`, notDone);
}

function isNamed({ ref }: FoundLock, starts: readonly string[]): boolean {
  return starts.some((start) => ref.mac.startsWith(start));
}

function freshText({ ref, ageMs }: FoundLock): string {
  return `the lock ${ref.mac} is in use: it was refreshed ${durationText(ageMs)} ago`;
}

const freshAdvice = 'stop that client, and wait: a lock is stale when it has not been refreshed for 10 minutes';
