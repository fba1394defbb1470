import type { Config } from '../config/types.js';
import type { ActivitySink } from '../core/activity.js';
import type { ObjectRef } from '../core/object.js';
import type { RequestObserver } from '../core/request.js';
import type { Loss } from '../layers/mirrored-reads.js';
import { ActivityReporter } from '../watch/activity-reporter.js';
import type { Observation } from '../watch/observation.js';
import type { Status } from '../watch/status.js';
import { StoreSurvey } from '../watch/store-survey.js';
import type { GatewayOptions } from './gateway.js';
import { MirrorReadReports } from './upkeep/mirror-read-reports.js';
import { newObjectsIn, type NewObjects } from './upkeep/new-objects.js';
import type { OpenedStore } from './stores/store-opener.js';
import { Upkeep } from './upkeep/upkeep.js';
import { isWatched, type Watching } from './watching.js';

/**
 * What a serving process finds out about its stores and callers, and tells the watch: its own, or in a worker that of the primary. The upkeep of
 * stores is part of it, as that learns from it what has arrived.
 */
export class Observing {
  /** Takes what callers do. */
  readonly activity: ActivitySink & RequestObserver;
  private readonly reporter: ActivityReporter;
  private readonly mirrorReads: MirrorReadReports;
  private readonly survey: StoreSurvey;
  private readonly upkeep: Upkeep;

  /** @param watching undefined in a worker */
  constructor(
    private readonly options: Pick<GatewayOptions, 'log' | 'shared' | 'mirroringTimes' | 'verifyingTimes'>,
    private readonly watching: Watching | undefined,
  ) {
    const { log } = options;
    this.activity = this.reporter = new ActivityReporter((activity) => this.observed({ activity }));
    this.mirrorReads = new MirrorReadReports(log, (read) => this.observed({ mirrorReads: [read] }));
    this.survey = new StoreSurvey({ log, report: (report) => this.observed({ reports: [report] }) });
    this.upkeep = new Upkeep({
      ...options,
      reportMirror: (report) => this.observed({ mirrors: [report] }),
      reportVerification: (report) => this.observed({ verifications: [report] }),
    });
  }

  /** Throws, with a message for the operator, if a configuration can't be watched without a restart. */
  check(config: Config): void {
    this.watching?.check(config);
  }

  /** Looks after the stores of a configuration from now on. Of several processes, the first one does. */
  configure(config: Config, stores: ReadonlyMap<string, OpenedStore>): void {
    const isFirst = this.options.shared?.isFirst !== false;
    this.survey.setStores(isFirst && isWatched(config) ? stores : new Map());
    this.watching?.configure(config);
    if (isFirst) this.upkeep.setStores(stores, config);
  }

  /** Takes note of what callers have put into stores, by way of any process. */
  added(objects: readonly NewObjects[]): void {
    this.upkeep.added(objects);
  }

  certificateExpires(ms: number | undefined): void {
    this.observed({ certificateExpiresMs: ms });
  }

  /** A store's mirror answered a read. */
  mirrorRead(store: string, ref: ObjectRef, loss: Loss): void {
    this.mirrorReads.add(store, ref, loss);
  }

  async status(): Promise<Status> {
    const status = this.watching?.status() ?? (await this.options.shared?.status());
    if (status === undefined) throw new Error('a gateway is watched by itself or by its primary');
    return status;
  }

  /** Ends what looks after the stores. Never rejects. */
  async stop(): Promise<void> {
    this.survey.stop();
    await this.upkeep.stop();
  }

  /** Tells what is left to tell. Never rejects. */
  async close(): Promise<void> {
    this.reporter.flush();
    await this.watching?.close();
  }

  private observed(observation: Observation): void {
    const { watching, options } = this;
    if (watching === undefined) return options.shared?.observed(observation);
    watching.observe(observation);
    if (observation.activity !== undefined) this.added(newObjectsIn(observation.activity));
  }
}
