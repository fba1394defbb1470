import { setMaxListeners } from 'node:events';
import type { MirrorConfig } from '../../config/types.js';
import { canceled, hasCode, StoreError, withPlaceOfFullDisk } from '../../core/errors.js';
import type { Store } from '../../core/store.js';
import { formatBytes } from '../../lib/format-bytes.js';
import type { Logger } from '../../lib/logger.js';
import { Throttled } from '../../lib/throttled.js';
import { untilAborted } from '../../lib/until-aborted.js';
import { copyStore, type CopyReport } from '../../replication/copy.js';
import { total } from '../../replication/report.js';
import type { MirrorReport } from '../../watch/mirror-report.js';
import { storeText } from '../../watch/wording.js';
import { MirrorBacklog } from './mirror-backlog.js';
import { errorFields } from './error-fields.js';
import type { MirroredCopies, MirrorFile } from './mirror-file.js';
import type { Mirror } from '../stores/mirror-store.js';
import type { NewObjects } from './new-objects.js';
import { RepeatedRuns, systemClock, type Clock, type RunTimes } from './repeated-runs.js';

/** Times in milliseconds. */
export interface MirroringTimes extends RunTimes {
  /** The first pause before an operation is tried again, within a run. */
  readonly retryMs: number;
}

const standardTimes: MirroringTimes = { settleMs: 2000, firstPauseMs: 5000, maxPauseMs: 600_000, retryMs: 500 };

const dayMs = 86_400_000;

/** How often it is reported how far a run is, and what was added, in milliseconds. */
const reportEveryMs = 1000;

/** How many objects that are not the same in both copies are named. */
const maxNamed = 20;

/** How many objects are copied at once. */
const jobs = 4;

export interface MirroringOptions {
  /** The store's name, for reports and the log. */
  readonly name: string;
  /** The store as it is: without reads from the mirror. */
  readonly store: Store;
  /** For messages to the operator. */
  readonly location: string;
  readonly mirror: Mirror;
  readonly config: Pick<MirrorConfig, 'everyMs' | 'bytesPerSecond'>;
  readonly file: Pick<MirrorFile, 'read' | 'write'>;
  /** Takes what is known of the second copy. Never fails. */
  readonly report: (report: MirrorReport) => void;
  readonly log: Logger;
  readonly times?: Partial<MirroringTimes> | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
}

/**
 * Keeps the second copy of a store up to date: copies what it lacks at the start, soon after each state that arrives, and periodically. After a
 * run that failed, for instance since the mirror can't be reached, it tries again, in longer and longer pauses, whatever arrives meanwhile.
 */
export class Mirroring {
  private readonly stopped = new AbortController();
  private readonly times: MirroringTimes;
  private readonly clock: Clock;
  private readonly runs: RepeatedRuns;
  /** When the mirror is cleaned up next. */
  private sweepMs = -Infinity;
  private readonly reporting = new Throttled(() => this.report(), reportEveryMs);
  private readonly backlog = new MirrorBacklog(() => this.reporting.soon());
  /** The MACs of objects that the last run that came to its end couldn't copy by themselves. */
  private unfit: ReadonlySet<string> = new Set();
  private known: Pick<MirrorReport, 'beganMs' | 'completeAsOfMs' | 'lastSuccessMs' | 'problem'> = {};

  constructor(private readonly options: MirroringOptions) {
    this.times = { ...standardTimes, ...options.times };
    this.clock = options.clock ?? systemClock;
    this.runs = new RepeatedRuns({
      run: () => this.copy(),
      everyMs: options.config.everyMs,
      times: this.times,
      clock: this.clock,
    });
    // Every transfer listens to it.
    setMaxListeners(0, this.stopped.signal);
  }

  start(): void {
    this.runs.start(this.restore());
  }

  /** Takes note of what callers have put into the store. */
  added(objects: NewObjects): void {
    if (this.options.mirror.direction === 'from') return;
    this.backlog.add(objects);
    if (objects.hasState) this.runs.changed();
  }

  /** Breaks a run off, and waits for its end. Never rejects. */
  async stop(): Promise<void> {
    this.stopped.abort(canceled());
    await this.runs.stop();
    this.reporting.stop();
  }

  /** Reports what is known from before, and waits until it was tried to open the mirror. */
  private async restore(): Promise<void> {
    const { file, mirror } = this.options;
    const { signal } = this.stopped;
    const kept = await file.read(this.copies);
    if (kept === undefined) await file.write(this.copies, { beganMs: this.clock.now() });
    if (!signal.aborted && kept !== undefined) {
      this.known = kept;
      this.report();
    }
    await untilAborted(mirror.attempted, signal).catch(() => undefined);
  }

  /** Copies what is missing. Resolves to whether the second copy is complete then. */
  private async copy(): Promise<boolean> {
    const { store, mirror, config } = this.options;
    const { signal } = this.stopped;
    const [source, destination] = mirror.direction === 'to' ? [store, mirror.store] : [mirror.store, store];
    const notOpen = mirror.problem();
    if (notOpen !== undefined) return this.failed(notOpen, {});
    await this.sweep();
    const beganMs = this.clock.now();
    try {
      const { retryMs: pauseMs } = this.times;
      const options = { jobs, bytesPerSecond: config.bytesPerSecond, pauseMs, on: this.backlog.listener() };
      const copying = copyStore(source, destination, options, { signal });
      return await this.ended(await copying.catch(withPlaceOfFullDisk(this.destination)), beganMs);
    } catch (error) {
      if (signal.aborted) return false;
      this.failed(mirror.problem() ?? StoreError.from(error).message, errorFields(error));
      // Its token may have been replaced.
      if (hasCode(error, 'unauthenticated')) await mirror.reopen();
      return false;
    }
  }

  private get copies(): MirroredCopies {
    const { location, mirror } = this.options;
    return { location, mirror: mirror.location };
  }

  /** Where the copy is written, for the operator. */
  private get destination(): string {
    const { name, mirror } = this.options;
    return mirror.direction === 'to' ? mirror.location : storeText(name);
  }

  /** Removes what uploads into the mirror have left that a crash cut off, once a day. */
  private async sweep(): Promise<void> {
    const { name, mirror, log } = this.options;
    if (mirror.direction === 'from' || this.clock.monotonicMs() < this.sweepMs) return;
    this.sweepMs = this.clock.monotonicMs() + dayMs;
    try {
      const removed = (await mirror.store.sweep?.()) ?? 0;
      if (removed > 0) log.info({ store: name, removed }, 'removed what cut-off copies have left in the mirror');
    } catch (error) {
      if (!this.stopped.signal.aborted) log.warn({ err: error, store: name }, "the mirror can't be cleaned up");
    }
  }

  /**
   * Reports a completed run. Resolves to whether the second copy is complete. Objects that are damaged or refused, also at a second attempt, don't
   * count: they are reported as damage, and would otherwise keep the lag growing until they are repaired.
   */
  private async ended({ copied, missing, differing }: CopyReport, beganMs: number): Promise<boolean> {
    const { name, log } = this.options;
    const { objects, bytes } = total(copied);
    if (objects > 0) log.info({ store: name, objects, bytes }, `mirrored ${objects} objects (${formatBytes(bytes)})`);
    const left = total(missing);
    this.backlog.ended(left);
    const damaged = differing.slice(0, maxNamed).map(({ ref: { kind, mac }, text }) => `${kind} ${mac}: ${text}`);
    const problem = problemOf(left.objects, differing.length, damaged[0]);
    const before = this.unfit;
    this.unfit = unfitIn(differing);
    const isTriedAgain = [...this.unfit].every((mac) => before.has(mac));
    if (problem !== undefined && (left.objects > this.unfit.size || !isTriedAgain))
      return this.failed(problem, { differing: damaged }, damaged);
    if (problem !== undefined) this.warn(problem, { differing: damaged });
    else if (this.known.problem !== undefined) log.info({ store: name }, 'the mirror is complete again');
    const times = { completeAsOfMs: beganMs, lastSuccessMs: this.clock.now() };
    this.known = { ...times, ...(problem !== undefined && { problem }) };
    this.reportEnd({ outcome: 'completed', damaged });
    await this.options.file.write(this.copies, times);
    return true;
  }

  /** Reports what is wrong. Returns that the second copy is not known to be complete. */
  private failed(problem: string, fields: object, damaged: readonly string[] = []): false {
    this.warn(problem, fields);
    this.known = { ...this.known, problem };
    this.reportEnd({ outcome: 'failed', damaged });
    return false;
  }

  /** Logs what is wrong, once. */
  private warn(problem: string, fields: object): void {
    const { name, log } = this.options;
    if (problem !== this.known.problem) log.warn({ store: name, ...fields }, `the store can't be mirrored: ${problem}`);
  }

  private reportEnd(end: Pick<MirrorReport, 'outcome' | 'damaged'>): void {
    this.reporting.stop();
    this.report(end);
  }

  private report(more: Pick<MirrorReport, 'outcome' | 'damaged'> = {}): void {
    const { missing } = this.backlog;
    this.options.report({ store: this.options.name, ...(missing && { missing }), ...this.known, ...more });
  }
}

function unfitIn(differing: CopyReport['differing']): ReadonlySet<string> {
  const unfit = differing.filter(({ what }) => what === 'unreadable' || what === 'refused');
  return new Set(unfit.map(({ ref }) => ref.mac));
}

/** Why the second copy isn't complete, though the run came to its end; undefined if it is. */
function problemOf(missing: number, differing: number, first: string | undefined): string | undefined {
  if (first !== undefined) return `${first}${differing > 1 ? ` (and ${differing - 1} more)` : ''}`;
  return missing > 0 ? `${missing} objects can't be copied` : undefined;
}
