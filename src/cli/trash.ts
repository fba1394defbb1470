import { ifPresent } from '../core/errors.js';
import type { ObjectRef } from '../core/object.js';
import type { TrashedObject } from '../core/trash.js';
import { recordRestores } from '../integrity/operator-records.js';
import { inBatches } from '../lib/in-batches.js';
import { Tally, total } from '../replication/report.js';
import { columns } from './columns.js';
import { addTo, inOrderOfArrival, isHalfRestored, keyOf, forAll, trashed, type Trashed } from './contents.js';
import { countsText, jsonText, sumsText, trashedJson, trashedRow, trashedTitles } from './object-text.js';
import { notDone, printed, refused, type Outcome } from './outcome.js';
import type { UndoCommand } from './command-types.js';
import { macProblems, momentOption, type Prepared, type Subject } from './store-command.js';

/** What helps where the store has an object of that name. */
const otherFirst = "To bring back one of those, first move the store's own object of that name away, by hand.";

/** How many objects are printed at once. */
const listedAtOnce = 4096;

/** Lists what is in the trash as it is found: what was deleted first comes first, in a large trash more or less. */
export function listTrash({ since, json }: UndoCommand, nowMs: number): Prepared {
  const problems: string[] = [];
  const sinceMs = momentOption('--since', since, nowMs, problems) ?? -Infinity;
  if (problems.length > 0) return { problems };
  return async (subject) => {
    const { title, print } = subject;
    const found = trashed(subject, ({ deletedMs }) => deletedMs >= sinceMs);
    const tally = new Tally();
    if (json) await print(`{"store":${JSON.stringify(title)},"objects":[`);
    for await (const objects of inBatches(found, listedAtOnce)) {
      objects.sort((a, b) => a.deletedMs - b.deletedMs || inOrderOfArrival(a, b));
      const isFirst = total(tally).objects === 0;
      for (const object of objects) addTo(tally, object);
      if (json) await print((isFirst ? '' : ',') + objects.map((each) => JSON.stringify(trashedJson(each))).join());
      else await print(columns([...(isFirst ? [trashedTitles] : []), ...objects.map(trashedRow)]));
    }
    if (json) return printed(']}\n');
    if (total(tally).objects === 0) return printed(`there is nothing in the trash of ${title}\n`);
    return printed(`\nin the trash of ${title}: ${sumsText(tally)}\n`);
  };
}

/** Moves objects from the trash back into the store, with `--apply`; otherwise shows which. */
export function restoreTrash({ macs, since, until, all, apply, json }: UndoCommand, nowMs: number): Prepared {
  const problems = macProblems(macs);
  const sinceMs = momentOption('--since', since, nowMs, problems);
  const untilMs = momentOption('--until', until, nowMs, problems) ?? Infinity;
  if (until !== undefined && since === undefined) problems.push('--until needs --since');
  if ([macs.length > 0, since !== undefined, all].filter(Boolean).length !== 1)
    problems.push('say what to bring back: --mac MAC, --since MOMENT or --all');
  if (problems.length > 0) return { problems };
  const starts = macs.map((mac) => mac.toLowerCase());
  const isChosen = ({ ref, deletedMs }: TrashedObject): boolean =>
    all ||
    (sinceMs !== undefined && deletedMs >= sinceMs && deletedMs <= untilMs) ||
    starts.some((start) => ref.mac.startsWith(start));
  return async (subject) => {
    const found = await collected(trashed(subject, isChosen));
    const missing = starts.filter((start) => !found.some(({ ref }) => ref.mac.startsWith(start)));
    if (missing.length > 0)
      return refused(
        missing.map((start) => `there is no ${start} in the trash`),
        1,
      );
    const { absent, here } = await withoutPresent(lastDeleted(found), subject);
    const broughtBack: ObjectRef[] = [];
    if (apply) {
      const { store, trash, ctx } = subject;
      for (const kind of ['packfile', 'state']) {
        const objects = absent.filter(({ ref }) => ref.kind === kind);
        await forAll(objects, `${kind}s brought back`, subject, async ({ object }) => {
          if ((await ifPresent(trash.restore(object))) !== undefined) broughtBack.push(object.ref);
        });
      }
      await recordRestores(store.digests, broughtBack, ctx);
    }
    const gone = apply ? absent.length - broughtBack.length : 0;
    const report = { title: 'brought back', objects: absent, gone, apply, json };
    const note = here === 0 ? '' : `The store has ${here} of them already: those stay in the trash. ${otherFirst}\n`;
    return reported(report, subject, note);
  };
}

/** Removes objects from the trash for good, with `--apply`; otherwise shows which. */
export function purgeTrash({ before, all, apply, json }: UndoCommand, nowMs: number): Prepared {
  const problems: string[] = [];
  const beforeMs = momentOption('--before', before, nowMs, problems);
  if ((before !== undefined) === all) problems.push('say what to remove: --before MOMENT or --all');
  if (problems.length > 0) return { problems };
  return async (subject) => {
    const objects = await collected(trashed(subject, ({ deletedMs }) => deletedMs < (beforeMs ?? Infinity)));
    if (apply) await forAll(objects, 'removed', subject, ({ object }) => subject.trash.remove(object));
    return reported({ title: 'removed for good', objects, gone: 0, apply, json }, subject);
  };
}

/** Of each name the object that was deleted last, packfiles first. */
function lastDeleted(objects: readonly Trashed[]): Trashed[] {
  const sorted = objects.toSorted((a, b) => a.deletedMs - b.deletedMs);
  return [...new Map(sorted.map((each) => [keyOf(each.ref), each])).values()].sort(inOrderOfArrival);
}

async function withoutPresent(
  objects: readonly Trashed[],
  subject: Subject,
): Promise<{ absent: Trashed[]; here: number }> {
  const { store, ctx } = subject;
  const absent: Trashed[] = [];
  await forAll(objects, 'looked for in the store', subject, async (each) => {
    const other = await ifPresent(store.stat(each.ref, ctx));
    if (other === undefined || isHalfRestored(each, other)) absent.push(each);
  });
  return { absent: absent.sort(inOrderOfArrival), here: objects.length - absent.length };
}

interface Report {
  /** What is done with them: `removed`. */
  readonly title: string;
  readonly objects: readonly Trashed[];
  /** How many were purged before they could be moved. */
  readonly gone: number;
  readonly apply: boolean;
  readonly json: boolean;
}

function reported({ title, objects, gone, apply, json }: Report, subject: Subject, note = ''): Outcome {
  const document = { store: subject.title, applied: apply, gone, objects: objects.map(trashedJson) };
  if (json) return printed(jsonText(document));
  if (objects.length === 0) return printed(`there is nothing to be ${title} in ${subject.title}\n${note}`);
  const lost = gone === 0 ? '' : `${gone} of them were purged meanwhile.\n`;
  const summary = `${title}: ${countsText(objects)}\n${lost}${note}`;
  if (apply) return printed(summary);
  const table = columns([trashedTitles, ...objects.map(trashedRow)]);
  return printed(`${table}\nto be ${summary}`, notDone);
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
