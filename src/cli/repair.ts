import { withPlaceOfFullDisk } from '../core/errors.js';
import { repairStore, type RepairOptions, type RepairReport } from '../integrity/repair.js';
import type { Damage } from '../integrity/verify-report.js';
import { resolvePath } from '../lib/paths.js';
import type { RepairCommand } from './command-types.js';
import { configAdvice, copiesAdvice, damageJson, damageTable, objectsText } from './damage-text.js';
import { keepIn } from './kept-objects.js';
import type { StoreContext } from './named-store.js';
import { jsonText } from './object-text.js';
import { notDone, printed, refused, wrongUsage, type Outcome } from './outcome.js';
import { pairProblem } from './pair-problem.js';
import { macProblems, withStore, type StoreSubject } from './store-command.js';
import { VerifyProgress } from './verify-progress.js';

/** Replaces damaged objects with those of another copy, with `--apply`; otherwise shows which. */
export async function repair(command: RepairCommand, context: StoreContext): Promise<Outcome> {
  const { apply, from, macs, unproven, toFolder } = command;
  const problems = macProblems(macs);
  if (unproven && macs.length === 0) problems.push('--unproven needs --mac, which names each object');
  if (problems.length > 0) return wrongUsage(problems, command.name);
  const problem = await pairProblem(command, from, context);
  if (problem !== undefined) return refused([problem]);
  const signal = context.interruption?.();
  const use = { writable: apply, trashes: toFolder === undefined };
  const asOther = { writable: false, trashes: false };
  const folder = toFolder && resolvePath(toFolder, context.surroundings);
  const outcome = await withStore(
    command,
    use,
    context,
    (subject) => withStore(from, asOther, context, (other) => run(command, folder, subject, other, context), signal),
    signal,
  );
  return { ...outcome, stderr: outcome.stderr.replace(settingAdvice, commandAdvice) };
}

/** What backends advise where there can't be a trash, which is about the configuration of a gateway, and what helps here. */
const settingAdvice = 'leave out the setting `trash`';
const commandAdvice = 'name a folder of this machine with --to-folder';

async function run(
  command: RepairCommand,
  folder: string | undefined,
  subject: StoreSubject,
  other: StoreSubject,
  context: StoreContext,
): Promise<Outcome> {
  const { store, ctx, title } = subject;
  if (store.replace === undefined)
    return refused([`objects of ${title} can only be replaced on the machine that keeps the store`]);
  const starts = command.macs.map((mac) => mac.toLowerCase());
  const unseen = new Set(starts);
  const seen = (mac: string): void =>
    starts.filter((start) => mac.startsWith(start)).forEach((start) => unseen.delete(start));
  const progress = new VerifyProgress(context);
  const { jobs, bytesPerSecond, unproven, apply } = command;
  const options: RepairOptions = {
    jobs,
    bytesPerSecond,
    from: other.store,
    macs: starts.length === 0 ? undefined : starts,
    unproven,
    apply,
    keep: folder === undefined ? undefined : keepIn(folder),
    on: {
      planned: (objects) => progress.planned(objects),
      checked: (ref, bytes) => {
        seen(ref.mac);
        progress.checked(ref, bytes);
      },
    },
  };
  const report = await repairStore(store, options, ctx)
    .catch(withPlaceOfFullDisk(title))
    .finally(() => progress.stop());
  for (const { ref } of report.verified.damaged) seen(ref.mac);
  const outcome = repaired(report, command, subject, other);
  if (unseen.size === 0) return outcome;
  const { stderr } = refused([...unseen].map((start) => `there is no ${start} in ${title} or ${other.title}`));
  return { ...outcome, stderr: stderr + outcome.stderr, exitCode: 1 };
}

function repaired(
  { repaired: done, left, verified }: RepairReport,
  { apply, json }: RepairCommand,
  { title }: StoreSubject,
  other: StoreSubject,
): Outcome {
  const { checked, config } = verified;
  const exitCode = left.length === 0 && config === undefined ? 0 : 1;
  const note = !apply && done.length > 0 ? notDone : '';
  if (json) {
    const lists = { repaired: done.map(damageJson), left: left.map(damageJson) };
    return {
      ...printed(jsonText({ store: title, from: other.title, applied: apply, checked, config, ...lists }), note),
      exitCode,
    };
  }
  const head = apply ? "replaced with the other copy's" : "to be replaced with the other copy's";
  const parts = [
    config === undefined ? '' : `${title}: its CONFIG ${config}\n${configAdvice}\n`,
    done.length + left.length > 0 ? '' : `${title}: ${config === undefined ? 'nothing' : 'no object'} is damaged\n`,
    done.length === 0 ? '' : `${title}: ${objectsText(done.length)} ${head}:\n${damageTable(done)}`,
    left.length === 0
      ? ''
      : `${title}: ${objectsText(left.length)} left as ${left.length === 1 ? 'it is' : 'they are'}:\n${damageTable(left)}${adviceFor(left)}`,
  ];
  return { ...printed(parts.filter((part) => part !== '').join('\n'), note), exitCode };
}

function adviceFor(left: readonly Damage[]): string {
  if (!left.some(({ otherCopy }) => otherCopy === 'unsure')) return '';
  return `Nothing here tells which copy is right. ${copiesAdvice}.\n`;
}
