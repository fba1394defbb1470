import { ifPresent } from '../core/errors.js';
import { formatMoment } from '../core/moment.js';
import type { ObjectRef } from '../core/object.js';
import { recordDeletes, recordRestores } from '../integrity/operator-records.js';
import { formatBytes } from '../lib/format-bytes.js';
import { columns } from './columns.js';
import { forAll, type Arrived } from './contents.js';
import { countsText, countText, jsonText, objectJson, timeText, trashedJson } from './object-text.js';
import { notDone, printed, refused, type Outcome } from './outcome.js';
import type { UndoCommand } from './command-types.js';
import { isTiny } from './removals.js';
import { differences, type Lost, type Plan } from './restore-plan.js';
import { momentOption, type Prepared, type Subject } from './store-command.js';

/**
 * Takes a store back to a moment, with `--apply`; otherwise shows what differs. At every step of it all states that there are have their
 * packfiles, so that the store can be used after an interruption, and a second run does what is left.
 */
export function restoreStates(command: UndoCommand, nowMs: number): Prepared {
  const problems: string[] = [];
  const asOfMs = momentOption('--as-of', command.asOf, nowMs, problems);
  if (command.asOf === undefined) problems.push('say to which moment: --as-of MOMENT');
  if (asOfMs === undefined || problems.length > 0) return { problems };
  return async (subject) => {
    const plan = await differences(subject, asOfMs);
    const moment = formatMoment(asOfMs);
    if (plan.statesThen === 0 && plan.later.length > 0)
      return refused([`no state had arrived in ${subject.title} by ${moment}: all snapshots would be gone`], 1);
    if (command.apply && plan.locks > 0 && !command.despiteLocks) return refused([lockedText(plan), lockedAdvice], 1);
    const beganMs = Date.now();
    const gone = command.apply ? await apply(plan, subject) : 0;
    return reported(plan, { moment, gone, command, beganMs, endedMs: Date.now() }, subject);
  };
}

/** Resolves to how many objects were purged before they could be brought back. */
async function apply({ packfiles, states, later }: Plan, subject: Subject): Promise<number> {
  const { store, trash, ctx } = subject;
  const broughtBack: ObjectRef[] = [];
  const bringBack = async ({ ref, object, isReplaced }: Lost): Promise<void> => {
    if (isReplaced) await trash.discard(ref);
    if ((await ifPresent(trash.restore(object))) !== undefined) broughtBack.push(ref);
  };
  await forAll(packfiles, 'packfiles brought back', subject, bringBack);
  await forAll(states, 'states brought back', subject, bringBack);
  await recordRestores(store.digests, broughtBack, ctx);
  const refs = later.map(({ ref }) => ref);
  await recordDeletes(store.digests, refs, ctx);
  // The newest first: an interruption leaves the store as it was at some moment in between.
  await forAll(later.toReversed(), 'states moved to the trash', subject, ({ ref }) => trash.discard(ref));
  return packfiles.length + states.length - broughtBack.length;
}

interface Details {
  readonly moment: string;
  readonly gone: number;
  readonly command: UndoCommand;
  /** When the changes began and ended. */
  readonly beganMs: number;
  readonly endedMs: number;
}

/** In a bucket an object is deleted at the end of a second. */
const bucketTickMs = 1000;

/** Up to how many states the command that brings them back names. */
const maxNamed = 10;

function reported(plan: Plan, details: Details, subject: Subject): Outcome {
  const { packfiles, states, later, locks } = plan;
  const { moment, gone, command } = details;
  const { title } = subject;
  const restored = [...packfiles, ...states];
  if (command.json) {
    const restore = restored.map(trashedJson);
    const discard = later.map((state) => ({ ...objectJson(state), looksLikeRemoval: isTiny(state) }));
    return printed(jsonText({ store: title, asOf: moment, applied: command.apply, gone, locks, restore, discard }));
  }
  if (restored.length + later.length === 0) return printed(`${title} is as it was at ${moment}: nothing to do\n`);
  const verb = command.apply ? 'were' : 'have to be';
  const lines = [
    `${title} as of ${moment}:`,
    restored.length === 0
      ? 'Nothing that was there then has been deleted.'
      : `Deleted since then, and ${verb} brought back: ${countsText(restored)}`,
    later.length === 0
      ? 'No state has arrived since then.'
      : `Arrived since then, and ${verb} moved to the trash: ${countText(later, 'state')}`,
  ];
  const table = later.length === 0 ? '' : columns(later.map(laterRow));
  const lost = gone === 0 ? '' : `${gone} objects were purged before they could be brought back.\n`;
  const text = `${lines.join('\n')}\n${table}${lost}`;
  const locked = locks === 0 ? '' : `warning: ${lockedText(plan)}\n`;
  if (!command.apply) return printed(text, locked + notDone);
  const undo =
    later.length === 0
      ? ''
      : `This brings back the states that were moved to the trash: ${undoing(plan, details, subject)}\n`;
  return printed(`${text}\n${cacheAdvice}\n${undo}`, locked);
}

/** The command that brings back the states that were moved away: by name, or where they are many, what was deleted meanwhile. */
function undoing({ later }: Plan, { beganMs, endedMs }: Details, { call }: Subject): string {
  const chosen =
    later.length <= maxNamed
      ? later.flatMap(({ ref }) => ['--mac', ref.mac])
      : ['--since', formatMoment(beganMs), '--until', formatMoment(endedMs + bucketTickMs)];
  return call('trash restore', ...chosen, '--apply');
}

function laterRow(state: Arrived): string[] {
  const mark = isTiny(state) ? 'looks like a removal' : '';
  return [timeText(state.arrivedMs), formatBytes(state.size), state.ref.mac, mark];
}

function lockedText({ locks }: Plan): string {
  return `clients seem to be working with the store: ${locks} ${locks === 1 ? 'lock is' : 'locks are'} less than 10 minutes old`;
}

const lockedAdvice =
  'stop them and wait, since a backup may refer to what is moved away; or say --despite-locks, and check that backup afterwards';

const cacheAdvice = `Before the next maintenance or backup: plakar's clients remember states that are gone, and a maintenance would delete again
what was brought back. On each machine that uses this store, remove ~/.cache/plakar while no plakar runs, or give plakar
an empty folder: plakar -cachedir DIR.`;
