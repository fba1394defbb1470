import type { DigestRecorder, DigestStorage } from '../core/digests.js';
import { acceptMissing } from '../integrity/accept-missing.js';
import { DigestWriter } from '../integrity/digest-writer.js';
import { verifyStore, type VerifyObserver, type VerifyOptions } from '../integrity/verify.js';
import { resolvePath } from '../lib/paths.js';
import { columns } from './columns.js';
import type { VerifyCommand } from './command-types.js';
import { objectsText } from './damage-text.js';
import type { StoreContext } from './named-store.js';
import { interrupted, printed, refused, type Outcome } from './outcome.js';
import { jsonText } from './object-text.js';
import { pairProblem } from './pair-problem.js';
import { ResumeFile } from './resume-file.js';
import { withStore, type StoreSubject } from './store-command.js';
import { VerifyProgress } from './verify-progress.js';
import { verifiedOutcome } from './verify-text.js';

/** Finds damaged objects of a store, alone or by comparing it with another copy. */
export async function verify(command: VerifyCommand, context: StoreContext): Promise<Outcome> {
  const { against, record, acceptMissing } = command;
  const problem = against && (await pairProblem(command, against, context));
  if (problem !== undefined) return refused([problem]);
  const signal = context.interruption?.();
  const use = { writable: record || acceptMissing, trashes: false };
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
    const { digests } = subject.store;
    const records = command.record || command.acceptMissing;
    if (records && digests === undefined)
      return refused([`${subject.title} keeps no digests here: use the machine that keeps the store`]);
    const recorder = records && digests !== undefined ? this.recorderIn(digests) : undefined;
    if (command.acceptMissing && recorder !== undefined) return this.accepted(recorder);
    const path = command.resume && resolvePath(command.resume, context.surroundings);
    const run = { store: subject.title, against: other?.title };
    const file = path === undefined ? undefined : await ResumeFile.open(path, run);
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

  private async accepted(recorder: DigestWriter): Promise<Outcome> {
    const { subject, command } = this;
    try {
      const missing = await acceptMissing(subject.store, recorder, subject.ctx);
      const refs = missing.map(({ kind, mac }) => ({ kind, mac }));
      if (command.json) return printed(jsonText({ store: subject.title, accepted: refs }));
      const names = columns(refs.map(({ kind, mac }) => [kind, mac]));
      return printed(`${subject.title}: ${objectsText(refs.length)} recorded as deleted\n${names}`);
    } finally {
      await recorder.close();
    }
  }

  private recorderIn(digests: DigestStorage): DigestWriter {
    const { name } = this.context.host;
    return new DigestWriter(digests, { instance: name, host: name, log: { warn: () => undefined } });
  }
}
