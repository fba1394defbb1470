import type { DigestRecorder } from '../core/digests.js';
import { DigestWriter } from '../integrity/digest-writer.js';
import { verifyStore, type VerifyObserver, type VerifyOptions } from '../integrity/verify.js';
import { resolvePath } from '../lib/paths.js';
import type { VerifyCommand } from './command-types.js';
import type { StoreContext } from './named-store.js';
import { interrupted, refused, type Outcome } from './outcome.js';
import { pairProblem } from './pair-problem.js';
import { ResumeFile } from './resume-file.js';
import { withStore, type StoreSubject } from './store-command.js';
import { VerifyProgress } from './verify-progress.js';
import { verifiedOutcome } from './verify-text.js';

/** Finds damaged objects of a store, alone or by comparing it with another copy. */
export async function verify(command: VerifyCommand, context: StoreContext): Promise<Outcome> {
  const { against, record } = command;
  const problem = against && (await pairProblem(command, against, context));
  if (problem !== undefined) return refused([problem]);
  const signal = context.interruption?.();
  const use = { writable: record, trashes: false };
  return withStore(
    command,
    use,
    context,
    (subject) => {
      if (against === undefined) return new Run(command, context, subject).outcome();
      const asOther = { writable: false, trashes: false };
      const run = (other: StoreSubject): Promise<Outcome> => new Run(command, context, subject, other).outcome();
      return withStore(against, asOther, context, run, signal);
    },
    signal,
  );
}

class Run {
  constructor(
    private readonly command: VerifyCommand,
    private readonly context: StoreContext,
    private readonly subject: StoreSubject,
    private readonly other?: StoreSubject,
  ) {}

  async outcome(): Promise<Outcome> {
    const { command, context, subject, other } = this;
    if (command.record && subject.store.digests === undefined)
      return refused([`${subject.title} keeps no digests here: use the machine that keeps the store`]);
    const path = command.resume && resolvePath(command.resume, context.surroundings);
    const run = { store: subject.title, against: other?.title };
    const file = path === undefined ? undefined : await ResumeFile.open(path, run);
    const recorder = command.record ? this.recorder() : undefined;
    const progress = new VerifyProgress(context);
    try {
      const report = await verifyStore(subject.store, this.options(progress, file, recorder), subject.ctx);
      await file?.remove();
      return verifiedOutcome(report, command, subject, other);
    } catch (error) {
      await file?.saved();
      if (subject.ctx.signal.aborted && file !== undefined)
        return interrupted([`the same command goes on from here, by ${command.resume}`]);
      throw error;
    } finally {
      progress.stop();
      await recorder?.close();
    }
  }

  private options(
    progress: VerifyProgress,
    file: ResumeFile | undefined,
    record: DigestRecorder | undefined,
  ): VerifyOptions {
    const { jobs, bytesPerSecond, sample } = this.command;
    const on: VerifyObserver = {
      planned: (objects) => progress.planned(objects),
      checked: (ref, bytes) => progress.checked(ref, bytes),
      position: (position) => file?.save(position),
    };
    return { jobs, bytesPerSecond, sample, against: this.other?.store, record, position: file?.position, on };
  }

  private recorder(): DigestWriter | undefined {
    const { digests } = this.subject.store;
    const { name } = this.context.host;
    return digests && new DigestWriter(digests, { instance: name, host: name, log: { warn: () => undefined } });
  }
}
