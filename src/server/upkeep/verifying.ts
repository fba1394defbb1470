import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VerificationConfig } from '../../config/types.js';
import { canceled, StoreError } from '../../core/errors.js';
import type { VerifyReport } from '../../integrity/verify-report.js';
import type { VerifyObserver } from '../../integrity/verify.js';
import type { Logger } from '../../lib/logger.js';
import { Throttled } from '../../lib/throttled.js';
import { total, type Sum } from '../../replication/report.js';
import type { VerificationReport } from '../../watch/verification-report.js';
import { Checking, type CheckingOptions } from './checking.js';
import { CopiesDamage } from './copies-damage.js';
import { recheckDamage } from './damage-recheck.js';
import { recordTexts, type Copies } from './damage-text.js';
import { errorFields } from './error-fields.js';
import type { KnownDamageOptions } from './known-damage.js';
import { KnownProblems } from './known-problems.js';
import type { VerificationFile, VerificationState } from './verification-file.js';

/** Times in milliseconds. */
export interface VerifyingTimes extends Pick<KnownDamageOptions, 'gatherMs' | 'pauseMs'> {
  /** The first pause after a pass that could not go on, which doubles each time, and the longest. */
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
  /** How often it is looked whether what is damaged was mended. */
  readonly recheckEveryMs: number;
}

const standardTimes: VerifyingTimes = { firstPauseMs: 60_000, maxPauseMs: 3_600_000, recheckEveryMs: 3_600_000 };

/** How often it is reported how far a pass is, and how often that is kept, in milliseconds. */
const reportEveryMs = 5000;
const keepEveryMs = 60_000;

/** The longest time that a timer is set for, in milliseconds. */
const dayMs = 86_400_000;

export interface VerifyingOptions extends CheckingOptions {
  /** The store's name, for reports and the log. */
  readonly name: string;
  /** For messages to the operator. */
  readonly location: string;
  readonly config: VerificationConfig;
  /** The configuration file, which the commands for people name. */
  readonly configFile?: string | undefined;
  readonly file: Pick<VerificationFile, 'read' | 'write'>;
  /** Takes what is known of the store's objects. Never fails. */
  readonly report: (report: VerificationReport) => void;
  readonly log: Logger;
  readonly times?: Partial<VerifyingTimes> | undefined;
}

/**
 * Reads and checks all objects of a store, slowly, pass after pass. Where a pass can't go on, for instance since the store can't be reached, it
 * goes on later; so it does after a restart.
 */
export class Verifying {
  private readonly stopped = new AbortController();
  private readonly times: VerifyingTimes;
  private readonly copies: Copies;
  private readonly damage: CopiesDamage;
  /** What is wrong with CONFIG and digests. */
  private readonly recordProblems: KnownProblems;
  private readonly checking: Checking;
  private readonly reporting = new Throttled(() => this.report(), reportEveryMs);
  private readonly keeping = new Throttled(() => void this.keep(), keepEveryMs);
  private state: VerificationState;
  private planned: number | undefined;
  private problem: string | undefined;
  /** Why the pass does without the mirror. */
  private mirrorProblem: string | undefined;
  private running: Promise<unknown> | undefined;

  constructor(private readonly options: VerifyingOptions) {
    const { name, location, mirror, configFile, times } = options;
    this.times = { ...standardTimes, ...times };
    this.copies = { name, location, mirror: mirror?.location, configFile };
    this.damage = new CopiesDamage({ ...this.times, copies: this.copies, tell: (text) => this.report([text]) });
    this.recordProblems = new KnownProblems(this.times.pauseMs);
    this.checking = new Checking(options, this.stopped.signal);
    this.state = newPass(location);
    // Every read listens to it.
    setMaxListeners(0, this.stopped.signal);
  }

  start(): void {
    if (!this.stopped.signal.aborted) this.running = this.run();
  }

  /** Breaks a pass off, keeps how far it has come, and waits for that. Never rejects. */
  async stop(): Promise<void> {
    this.stopped.abort(canceled());
    await this.running;
    this.damage.tellNew();
    this.damage.stop();
    this.reporting.stop();
    this.keeping.stop();
    if (this.running !== undefined) await this.keep();
  }

  private async run(): Promise<void> {
    const { location, file, config } = this.options;
    this.state = (await file.read(location)) ?? this.state;
    this.damage.store.restore(this.state.damaged);
    this.damage.mirror.restore(this.state.mirrorDamaged ?? []);
    this.report();
    const rechecks = this.recheck(this.times.recheckEveryMs);
    while (!this.stopped.signal.aborted) {
      const { beganMs, completedMs = -Infinity } = this.state;
      if (completedMs < beganMs) await this.pass();
      else if (await this.sleep(beganMs + config.everyMs - Date.now()))
        this.state = { ...newPass(location), completedMs };
    }
    await rechecks;
  }

  /** Goes on with the pass that is under way, until it is completed. */
  private async pass(): Promise<void> {
    const { signal } = this.stopped;
    let { firstPauseMs: pauseMs } = this.times;
    while (!signal.aborted) {
      try {
        const position = (): VerificationState['position'] => this.state.position;
        const leftOut = (problem: string | undefined): void => this.mirrorLeftOut(problem);
        const { report, isCompared } = await this.checking.check({ position, on: this.observer(), leftOut });
        this.completed(report, isCompared);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.failed(error);
      }
      await this.sleep(pauseMs);
      pauseMs = Math.min(2 * pauseMs, this.times.maxPauseMs);
    }
  }

  private observer(): VerifyObserver {
    return {
      opened: (problems) => {
        const untold = this.recordProblems.untold(recordTexts(problems, this.copies));
        if (untold.length > 0) this.report(untold);
      },
      planned: (objects) => void (this.planned = objects),
      checked: (_, bytes) => {
        const { checked } = this.state;
        this.state = { ...this.state, checked: { objects: checked.objects + 1, bytes: checked.bytes + bytes } };
        this.problem = undefined;
        this.reporting.soon();
      },
      damaged: (damage) => this.damage.store.add(damage),
      otherDamaged: (damage) => this.damage.mirror.add(damage),
      position: (position) => {
        this.state = { ...this.state, position, checked: total(position.report.checked) };
        this.keeping.soon();
      },
    };
  }

  /** @param isCompared whether the mirror was read as well */
  private completed(report: VerifyReport, isCompared: boolean): void {
    const { name, log } = this.options;
    const { checked, damaged } = report;
    this.damage.tellNew();
    this.damage.keepOnly(report, isCompared);
    this.problem = undefined;
    const { objects, bytes } = total(checked);
    this.state = {
      ...this.state,
      position: undefined,
      checked: { objects, bytes },
      completedMs: Math.max(Date.now(), this.state.beganMs),
    };
    log.info({ store: name, objects, bytes, damaged: damaged.length }, `verified ${objects} objects`);
    void this.keep();
    this.recordProblems.passEnded();
    this.report();
  }

  private failed(error: unknown): void {
    const { name, log } = this.options;
    const { message } = StoreError.from(error);
    if (message !== this.problem)
      log.warn({ ...errorFields(error), store: name }, `the store can't be verified: ${message}`);
    this.problem = message;
    this.report();
  }

  private mirrorLeftOut(problem: string | undefined): void {
    const { name, log } = this.options;
    if (problem === this.mirrorProblem) return;
    this.mirrorProblem = problem;
    if (problem !== undefined) log.warn({ store: name }, `the store is verified without its mirror: ${problem}`);
    this.report();
  }

  /** Looks from time to time whether what is damaged was mended. */
  private recheck(everyMs: number): Promise<void> {
    const { name, log } = this.options;
    const { checking, damage } = this;
    const mended = async (count: number): Promise<void> => {
      log.info({ store: name, mended: count }, `${count} damaged objects were mended`);
      this.report();
      await this.keep();
    };
    return recheckDamage({ checking, damage, everyMs, sleep: (ms) => this.sleep(ms), mended });
  }

  private async keep(): Promise<void> {
    const [damaged, mirrorDamaged] = [this.damage.store.refs, this.damage.mirror.refs];
    await this.options.file.write({ ...this.state, damaged, mirrorDamaged });
  }

  private report(found: readonly string[] = []): void {
    const { planned, mirrorProblem, damage } = this;
    const problem = this.problem ?? (mirrorProblem && `the mirror is left out: ${mirrorProblem}`);
    const { checked, completedMs } = this.state;
    this.options.report({
      store: this.options.name,
      checked,
      damaged: damage.refs.length,
      ...(planned !== undefined && { planned }),
      ...(completedMs !== undefined && { completedMs }),
      ...(problem !== undefined && { problem }),
      ...(found.length > 0 && { found }),
    });
  }

  /** Resolves to whether the time has passed: it may be stopped before that. */
  private async sleep(ms: number): Promise<boolean> {
    const { signal } = this.stopped;
    for (let leftMs = ms; leftMs > 0 && !signal.aborted; leftMs -= dayMs)
      await sleep(Math.min(leftMs, dayMs), undefined, { signal, ref: false }).catch(() => undefined);
    return !signal.aborted;
  }
}

const nothing: Sum = { objects: 0, bytes: 0 };

/** The state of a store whose pass begins now. */
function newPass(location: string): VerificationState {
  return { location, beganMs: Date.now(), checked: nothing, damaged: [] };
}
