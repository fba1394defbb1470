import cluster from 'node:cluster';
import { filesOf } from '../../config/files.js';
import type { Config } from '../../config/types.js';
import { instantOf, machineClocks, type Instant } from '../../layers/retention-clock.js';
import type { Logger } from '../../lib/logger.js';
import { SerialQueue } from '../../lib/serial-queue.js';
import type { TimedLine } from '../../observability/worker-log.js';
import { aggregated, ProcessMetrics } from '../../observability/process-metrics.js';
import type { Gateway } from '../gateway.js';
import { copySample, type Sample } from '../sample.js';
import type { ActivatedSocket } from '../../net/activation.js';
import { newObjectsIn, type NewObjects } from '../upkeep/new-objects.js';
import type { Observation } from '../../watch/observation.js';
import type { Primary } from './messages.js';
import { SharedUnixSockets } from './shared-unix-sockets.js';
import { gatherMs } from '../../watch/activity-reporter.js';
import { Watching } from '../watching.js';
import { WorkerProcess } from './worker-process.js';
import { hasQuota, shareOf } from './workers-for.js';

export interface WorkerGroupOptions {
  readonly config: Config;
  readonly workers: number;
  readonly activated: readonly ActivatedSocket[];
  readonly log: Logger;
  /** Takes the lines that workers log. */
  readonly logged: (lines: readonly TimedLine[]) => void;
  /** Called if workers keep crashing, so that the program can't go on. */
  readonly failed: (error: Error) => void;
}

/** How many workers in a row may end soon after their start before the program gives up. */
const maxFailures = 5;
/** How long a worker may take to exit after the grace period, in milliseconds; then it is killed. */
const exitMs = 5000;
/** A worker that ran for so long, in milliseconds, did not fail at its start. */
const stableMs = 30_000;
/** Workers gather what they tell, so it arrives out of order by that much, in milliseconds, and a little more. */
const holdBackMs = 2 * gatherMs;
/** The pause before a restart after the second failure in a row, in milliseconds; it doubles with each further one. */
const firstPauseMs = 100;

/**
 * The primary process's view of a gateway of several processes. It serves no requests: it sends the workers their configuration, each with
 * its share of the connections, coordinates unix sockets, failed logins and metrics, and replaces workers that end.
 */
export class WorkerGroup implements Pick<Gateway, 'files' | 'reload' | 'countFailedReload' | 'reopenLogs' | 'close'> {
  /** By index; undefined while a worker is being replaced. */
  private readonly processes: (WorkerProcess | undefined)[] = [];
  private readonly unixSockets = new SharedUnixSockets();
  private config: Config;
  private sample: Sample | undefined;
  private readonly startedAt = instantOf(machineClocks);
  private trustedAt: Instant | undefined;
  private failures = 0;
  private started = false;
  private stopping = false;
  /** Starts and reloads run one at a time, so that all workers have the same configuration. */
  private readonly changes = new SerialQueue();

  private constructor(
    private readonly options: WorkerGroupOptions,
    private readonly ownMetrics: ProcessMetrics,
    private readonly watching: Watching,
  ) {
    this.config = options.config;
    this.trustClock();
    this.measure();
  }

  /**
   * Starts the workers. Resolves when the first one serves; the others follow. Fails with a message for the operator, and leaves nothing
   * running.
   */
  static async start(options: WorkerGroupOptions): Promise<WorkerGroup> {
    // The kernel distributes connections, and gives those that a worker has not accepted when it ends to the others.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({ serialization: 'advanced' });
    const { config, log } = options;
    const ownMetrics = new ProcessMetrics(config.instance);
    const { registry } = ownMetrics;
    const watching = await Watching.open({ config, log, registry, holdBackMs });
    const group = new WorkerGroup(options, ownMetrics, watching);
    try {
      group.config = await group.withSample(config);
      // The others start later, so that an error is reported once.
      await group.startWorker(0);
    } catch (error) {
      await group.close(0);
      throw error;
    }
    group.started = true;
    const others = Array.from({ length: options.workers - 1 }, (_, i) => i + 1);
    void group.changes.run(async () => void (await Promise.all(others.map((index) => group.startAgain(index)))));
    return group;
  }

  get files(): readonly string[] {
    return filesOf(this.config);
  }

  /** Like Gateway.reload: in all workers, or in none. */
  reload(config: Config): Promise<void> {
    return this.changes.run(async () => {
      const before = this.config;
      checkWorkers(config, before);
      this.watching.check(config);
      const next = await this.withSample(config);
      const [first, ...others] = this.workers;
      await first?.channel.call('reload', this.shareOf(next));
      const results = await Promise.allSettled(others.map((each) => each.channel.call('reload', this.shareOf(next))));
      const failed = results.find((each) => each.status === 'rejected');
      if (failed === undefined) {
        this.config = next;
        this.trustClock();
        this.watching.configure(next);
        this.measure();
        return;
      }
      // A worker that can't go back to the previous configuration is killed; its successor starts with that one.
      const previous = this.shareOf(before);
      await Promise.all(this.workers.map((each) => each.channel.call('reload', previous).catch(() => each.kill())));
      throw failed.reason;
    });
  }

  countFailedReload(): void {
    this.ownMetrics.failedReloads.inc();
  }

  async reopenLogs(): Promise<void> {
    await Promise.allSettled(this.workers.map((each) => each.channel.call('reopenLogs')));
  }

  async close(graceMs?: number): Promise<void> {
    this.stopping = true;
    const all = this.processes.filter((each) => each !== undefined);
    for (const each of all) each.stop(graceMs);
    // A worker that hangs, or that SIGSTOP has suspended, does not exit by itself.
    const overdue = setTimeout(
      () => {
        for (const each of all) each.kill();
      },
      (graceMs ?? this.config.shutdownDelayMs + this.config.drainMs) + exitMs,
    );
    await Promise.all(all.map((each) => each.ended));
    clearTimeout(overdue);
    await this.unixSockets.settled();
    await this.watching.close();
    await this.sample?.remove();
  }

  /** The workers that serve. */
  private get workers(): readonly WorkerProcess[] {
    return this.processes.filter((each) => each !== undefined).filter((each) => each.serves);
  }

  private shareOf(config: Config): Config {
    return shareOf(config, this.options.workers);
  }

  private async startWorker(index: number): Promise<void> {
    const worker = new WorkerProcess((id) => this.offer(id, index));
    this.processes[index] = worker;
    const startedMs = performance.now();
    void worker.ended.then((how) => {
      if (this.processes[index] === worker) this.processes[index] = undefined;
      void this.unixSockets.gone(worker.id);
      if (worker.serves) this.replace(index, `worker process ${worker.pid} ended ${how}`, startedMs);
    });
    await worker.served;
  }

  /** Starts a successor for a worker that ended, after a pause if workers keep ending. */
  private replace(index: number, reason: string, startedMs: number): void {
    if (this.stopping) return;
    const { log, failed, activated } = this.options;
    this.failures = performance.now() - startedMs > stableMs ? 0 : this.failures + 1;
    const giveUp = (why: string): void => void this.close(0).then(() => failed(new Error(`${why}: ${reason}`)));
    if (this.failures > maxFailures) return giveUp('workers keep ending soon after they start');
    // A socket from systemd is closed with the last process that listens on it, and can't be opened again.
    if (activated.length > 0 && this.workers.length === 0)
      return giveUp("no worker is left, so systemd's sockets are closed");
    log.error({ worker: index }, `${reason}: it is being replaced`);
    const pauseMs = this.failures === 0 ? 0 : firstPauseMs * 2 ** (this.failures - 1);
    setTimeout(() => void this.changes.run(() => this.startAgain(index, true)), pauseMs);
  }

  private async startAgain(index: number, isSuccessor = false): Promise<void> {
    if (this.stopping) return;
    const startedMs = performance.now();
    try {
      await this.startWorker(index);
      const { pid } = this.processes[index] ?? {};
      if (isSuccessor) this.options.log.info({ worker: index, pid }, 'the new worker process serves');
    } catch (error) {
      this.replace(index, error instanceof Error ? error.message : String(error), startedMs);
    }
  }

  private offer(id: number, index: number): Omit<Primary, 'serves' | 'fails'> {
    const { unixSockets } = this;
    return {
      start: () => ({
        config: this.shareOf(this.config),
        activated: this.options.activated,
        isFirst: index === 0,
        isSuccessor: this.started,
        startedAt: this.startedAt,
        trustedAt: this.trustedAt,
      }),
      logged: (lines) => this.options.logged(lines),
      loginFailed: (address) => {
        for (const each of this.workers) if (each.id !== id) each.channel.tell('loginFailed', address);
      },
      prepareSocket: (options) => unixSockets.prepare(id, options),
      publishSocket: (options) => unixSockets.place(options),
      removeSocket: (options) => unixSockets.remove(id, options),
      metrics: () => this.metrics(),
      observed: (observation) => this.observed(observation),
      status: () => this.watching.status(),
    };
  }

  private observed(observation: Observation): void {
    this.watching.observe(observation);
    const { activity } = observation;
    const isMirrored = ({ store }: NewObjects): boolean => this.config.stores.get(store)?.mirror !== undefined;
    const added = activity === undefined ? [] : newObjectsIn(activity).filter(isMirrored);
    // The first one writes the mirrors.
    const [first] = this.processes;
    if (added.length > 0 && first?.serves === true) first.channel.tell('added', added);
  }

  private async metrics(): Promise<string> {
    const values = await Promise.allSettled(this.workers.map((each) => each.channel.call('metrics')));
    const all = values.filter((each) => each.status === 'fulfilled').map(({ value }) => value);
    return aggregated(this.ownMetrics, all);
  }

  private measure(): void {
    this.ownMetrics.setInstance(this.config.instance);
    if (this.config.listeners.some(({ protocol }) => protocol === 'admin')) this.ownMetrics.start();
  }

  private trustClock(): void {
    this.trustedAt = this.config.trustsClock ? (this.trustedAt ?? instantOf(machineClocks)) : undefined;
  }

  /** All workers share one copy of the sample store. */
  private async withSample(config: Config): Promise<Config> {
    const stores = new Map(config.stores);
    for (const [name, store] of stores) {
      if (store.location !== 'sample') continue;
      this.sample ??= await copySample();
      stores.set(name, { ...store, location: { scheme: 'fs', path: this.sample.path } });
    }
    return { ...config, stores };
  }
}

/** Throws, with a message for the operator, if a configuration needs a different number of processes. */
function checkWorkers(config: Config, before: Config): void {
  if (hasQuota(config)) {
    throw new Error('stores with a quota are served by one process: restart the gateway to give one a quota');
  }
  if (config.workers !== before.workers) throw new Error('restart the gateway to change the number of workers');
}
