import { createStore } from '../backends/backends.js';
import { withPlaceOfFullDisk } from '../core/errors.js';
import { formatMoment } from '../core/moment.js';
import type { OpContext, Store } from '../core/store.js';
import { viewsOf } from '../layers/views.js';
import { copyStore, type CopyListener, type CopyReport } from '../replication/copy.js';
import { Tally, total, type Difference } from '../replication/report.js';
import { columns } from './columns.js';
import type { CopyCommand } from './command-types.js';
import { namedStore, openOptions, sharedTokenProblem, type NamedStore, type StoreContext } from './named-store.js';
import { jsonText, sumsText } from './object-text.js';
import { interrupted, printed, refused, wrongUsage, type Outcome } from './outcome.js';
import { errorText, loggerInto, momentOption, withStore, type StoreSubject } from './store-command.js';
import { areNested, placeOf } from './places.js';
import { TransferProgress } from './transfer-progress.js';

const reading = { writable: false, trashes: false };
const writing = { writable: true, trashes: false };

/**
 * Copies what one store has and another one hasn't. The exit status is 1 where the destination lacks something in the end, or has something that
 * differs, also at a dry run.
 */
export async function copy(command: CopyCommand, context: StoreContext): Promise<Outcome> {
  const { create, dryRun } = command;
  const problems: string[] = [];
  const asOfMs = momentOption('--as-of', command.asOf, Date.now(), problems);
  if (create && dryRun)
    problems.push('--create makes the destination, and --dry-run changes nothing: leave out one of them');
  if (problems.length > 0) return wrongUsage(problems, command.name);
  const from = await namedStore(command.source, context);
  const to = await namedStore(command.destination, context);
  if ('problems' in from) return refused(from.problems);
  if ('problems' in to) return refused(to.problems);
  if ((await placeOf(from.location)) === (await placeOf(to.location)))
    return refused(['SOURCE and DESTINATION are the same store: name the place of the second copy']);
  if (await areNested(from.location, to.location))
    return refused(['one of SOURCE and DESTINATION is in the folder of the other: a second copy has to be elsewhere']);
  const problem = sharedTokenProblem(from, to, context);
  if (problem !== undefined) return refused([problem]);
  const signal = context.interruption?.();
  return withStore(
    command.source,
    reading,
    context,
    async (source) => {
      const store = asOfMs === undefined ? source.store : viewsOf(source.store, source.store)(asOfMs);
      if (asOfMs !== undefined && !(await hasStates(store, source.ctx)))
        return refused(
          [`no state had arrived in ${source.title} by ${formatMoment(asOfMs)}: there is nothing to copy`],
          1,
        );
      if (create) await makeStore(to, source, context);
      const use = dryRun ? reading : writing;
      const run = (destination: StoreSubject): Promise<Outcome> =>
        new CopyRun(command, context, source.title, destination).run(store);
      return withStore(command.destination, use, context, run, signal);
    },
    signal,
  );
}

async function hasStates(store: Store, ctx: OpContext): Promise<boolean> {
  for await (const batch of store.list('state', ctx)) if (batch.length > 0) return true;
  return false;
}

/** Makes the destination, unless it is there: an earlier run may have been interrupted. */
async function makeStore(to: NamedStore, { store, ctx }: StoreSubject, context: StoreContext): Promise<void> {
  const config = await store.config(ctx);
  // What its server lacks is told when it is opened.
  await createStore(to.location, config, openOptions(to, writing, context), loggerInto([]));
}

/** A copy with both stores open. */
class CopyRun {
  private readonly progress: TransferProgress;
  /** What was done, should the copy fail. */
  private readonly copied = new Tally();
  private readonly differing: Difference[] = [];

  constructor(
    private readonly command: CopyCommand,
    context: StoreContext,
    private readonly source: string,
    private readonly destination: StoreSubject,
  ) {
    this.progress = new TransferProgress(context, { verb: 'copied' });
  }

  async run(source: Store): Promise<Outcome> {
    const { store, ctx } = this.destination;
    const { jobs, bytesPerSecond, verify, dryRun } = this.command;
    try {
      this.progress.begin('finding out what is missing');
      // What a copy left that was killed.
      if (!dryRun) await store.sweep?.().catch(() => undefined);
      const options = { jobs, bytesPerSecond, verify, dryRun, compareAll: true, on: this.listener() };
      const copying = copyStore(source, store, options, ctx);
      return this.reported(await copying.catch(withPlaceOfFullDisk(this.destination.title)));
    } catch (error) {
      return this.failed(error);
    } finally {
      this.progress.stop();
    }
  }

  private listener(): CopyListener {
    const { progress } = this;
    let compared = 0;
    return {
      planned: ({ bytes }) => (this.command.dryRun ? undefined : progress.setTotal(bytes)),
      progressed: (bytes) => progress.add(bytes),
      copied: ({ kind }, bytes) => this.copied.add(kind, bytes),
      differs: (difference) => this.differing.push(difference),
      compared: () => {
        if (compared === 0) progress.stop();
        this.destination.progress.show('objects compared that both have', ++compared);
      },
    };
  }

  private reported({ copied, present, missing, differing }: CopyReport): Outcome {
    const { json, dryRun } = this.command;
    const isWhole = total(missing).objects + differing.length === 0;
    const exitCode = isWhole ? 0 : 1;
    const document = { ...this.names, dryRun, copied, present, missing, differing: differing.map(differenceJson) };
    if (json) return { ...printed(jsonText(document)), exitCode };
    const { packfile, state } = present;
    const lines = [
      dryRun ? `to be copied: ${sumsText(missing)}` : `copied: ${sumsText(copied)}`,
      `in both already: ${countText(packfile, 'packfile')}, and ${countText(state, 'state')}`,
      ...(dryRun || total(missing).objects === 0 ? [] : [`missing in the destination: ${sumsText(missing)}`]),
    ];
    return { ...printed(`${lines.join('\n')}\n${differencesText(differing)}`), exitCode };
  }

  private failed(error: unknown): Outcome {
    const { command, copied, differing } = this;
    const wasInterrupted = this.destination.ctx.signal.aborted;
    const goOn =
      total(copied).objects === 0
        ? []
        : [`copied until then: ${sumsText(copied)}; the same command goes on from there`];
    const outcome = wasInterrupted ? interrupted(goOn) : refused([errorText(error), ...goOn], 1);
    const problem = wasInterrupted ? 'interrupted' : errorText(error);
    const document = { ...this.names, error: problem, copied, differing: differing.map(differenceJson) };
    return { ...outcome, stdout: command.json ? jsonText(document) : differencesText(differing) };
  }

  private get names(): { readonly source: string; readonly destination: string } {
    return { source: this.source, destination: this.destination.title };
  }
}

function differenceJson({ ref, what, text }: Difference): object {
  return { kind: ref.kind, mac: ref.mac, what, text };
}

function differencesText(differing: readonly Difference[]): string {
  if (differing.length === 0) return '';
  const rows = differing.map(({ ref, text }) => [ref.kind, ref.mac, text]);
  return `\nleft as they are, as they differ or can't be copied:\n${columns([['kind', 'MAC', 'what is wrong'], ...rows])}`;
}

function countText(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}
