import cluster from 'node:cluster';
import { AggregatorRegistry } from 'prom-client';
import { filesOf } from '../../config/files.js';
import type { Config } from '../../config/types.js';
import type { Logger } from '../../lib/logger.js';
import type { Gateway } from '../gateway.js';
import { copySample, type Sample } from '../sample.js';
import type { ActivatedSocket } from '../../net/activation.js';
import { Ledger } from './ledger.js';
import type { Primary } from './messages.js';
import { SharedUnixSockets } from './shared-unix-sockets.js';
import { WorkerProcess } from './worker-process.js';
import { hasQuota } from './workers-for.js';

export interface WorkerGroupOptions {
  readonly config: Config;
  readonly workers: number;
  readonly activated: readonly ActivatedSocket[];
  readonly log: Logger;
  /** Is told when the workers end again and again, so that the program can't go on. */
  readonly failed: (error: Error) => void;
}

/** So many times in a row a worker may end soon after its start before the program gives up. */
const maxFailures = 5;
/** How long a worker may take to end when what it was serving is over, in milliseconds. */
const endMs = 5000;
/** A worker that has served for so long, in milliseconds, is a good one. */
const goodAfterMs = 30_000;
/** How long the first of these failures is waited after, in milliseconds; twice as long after each further one. */
const firstPauseMs = 100;

/**
 * A gateway of several processes, as their primary sees it. It serves nothing itself: it hands out configurations, listening sockets
 * and what is limited in common, and starts another worker where one ended.
 */
export class WorkerGroup implements Pick<Gateway, 'files' | 'reload' | 'reopenLogs' | 'close'> {
  private readonly slots: (WorkerProcess | undefined)[] = [];
  private readonly ledger: Ledger;
  private readonly unixSockets = new SharedUnixSockets();
  private config: Config;
  private sample: Sample | undefined;
  private failures = 0;
  private started = false;
  private stopping = false;
  /** Starts and reloads, one at a time: no worker has a configuration that is none of the group's. */
  private last: Promise<unknown> = Promise.resolve();

  private constructor(private readonly options: WorkerGroupOptions) {
    this.config = options.config;
    this.ledger = new Ledger(options.workers, (key) => placesOf(this.config, key), {
      granted: (worker, key, places) => this.byId(worker)?.channel.tell('granted', key, places),
      recalled: (worker, key, places) => this.byId(worker)?.channel.tell('recalled', key, places),
    });
  }

  /**
   * Starts the workers. Resolves when the first of them serves, and the others are about to. Fails with a message for the operator,
   * and with nothing left.
   */
  static async start(options: WorkerGroupOptions): Promise<WorkerGroup> {
    // The system gives each connection to a worker, and takes back what one didn't accept before it ended.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({ serialization: 'advanced' });
    const group = new WorkerGroup(options);
    try {
      group.config = await group.withSample(options.config);
      // What is wrong is told by the first one alone.
      await group.startWorker(0);
    } catch (error) {
      await group.close(0);
      throw error;
    }
    group.started = true;
    const others = Array.from({ length: options.workers - 1 }, (_, i) => i + 1);
    void group.inTurn(async () => void (await Promise.all(others.map((index) => group.startAgain(index)))));
    return group;
  }

  get files(): readonly string[] {
    return filesOf(this.config);
  }

  /** As a gateway does: in all workers, or in none. */
  reload(config: Config): Promise<void> {
    return this.inTurn(async () => {
      const before = this.config;
      checkWorkers(config, before);
      const next = await this.withSample(config);
      const [first, ...others] = this.workers;
      await first?.channel.call('reload', next);
      const taken = await Promise.allSettled(others.map((each) => each.channel.call('reload', next)));
      const failed = taken.find((each) => each.status === 'rejected');
      if (failed === undefined) {
        this.config = next;
        return this.ledger.changed();
      }
      // Who can't go back is replaced, and its successor has the configuration that is in force.
      await Promise.all(this.workers.map((each) => each.channel.call('reload', before).catch(() => each.kill())));
      throw failed.reason;
    });
  }

  async reopenLogs(): Promise<void> {
    await Promise.allSettled(this.workers.map((each) => each.channel.call('reopenLogs')));
  }

  async close(graceMs?: number): Promise<void> {
    this.stopping = true;
    const all = this.slots.filter((each) => each !== undefined);
    for (const each of all) each.stop(graceMs);
    // One that hangs, or was stopped, doesn't end by itself.
    const overdue = setTimeout(
      () => {
        for (const each of all) each.kill();
      },
      (graceMs ?? this.config.drainMs) + endMs,
    );
    await Promise.all(all.map((each) => each.ended));
    clearTimeout(overdue);
    await this.unixSockets.settled();
    await this.sample?.remove();
  }

  /** Those that serve. */
  private get workers(): readonly WorkerProcess[] {
    return this.slots.filter((each) => each?.serves === true) as WorkerProcess[];
  }

  private byId(id: number): WorkerProcess | undefined {
    return this.slots.find((each) => each?.id === id);
  }

  private async startWorker(index: number): Promise<void> {
    const worker = new WorkerProcess((id) => this.offer(id, index));
    this.slots[index] = worker;
    const startedMs = performance.now();
    void worker.ended.then((how) => {
      if (this.slots[index] === worker) this.slots[index] = undefined;
      this.ledger.gone(worker.id);
      void this.unixSockets.gone(worker.id);
      if (worker.serves) this.replace(index, `worker process ${worker.pid} ended ${how}`, startedMs);
    });
    await worker.served;
  }

  /** Starts another worker in the place of one that ended, after a pause where that happens again and again. */
  private replace(index: number, reason: string, startedMs: number): void {
    if (this.stopping) return;
    const { log, failed, activated } = this.options;
    this.failures = performance.now() - startedMs > goodAfterMs ? 0 : this.failures + 1;
    const giveUp = (why: string): void => void this.close(0).then(() => failed(new Error(`${why}: ${reason}`)));
    if (this.failures > maxFailures) return giveUp('workers end again and again');
    // The system closes a passed socket with the last process that listens on it, and nobody can open it again.
    if (activated.length > 0 && this.workers.length === 0)
      return giveUp("no worker is left, nor are systemd's sockets");
    log.error({ worker: index }, `${reason}: another one takes its place`);
    const pauseMs = this.failures === 0 ? 0 : firstPauseMs * 2 ** (this.failures - 1);
    setTimeout(() => void this.inTurn(() => this.startAgain(index, true)), pauseMs);
  }

  private async startAgain(index: number, isSuccessor = false): Promise<void> {
    if (this.stopping) return;
    const startedMs = performance.now();
    try {
      await this.startWorker(index);
      const { pid } = this.slots[index] ?? {};
      if (isSuccessor) this.options.log.info({ worker: index, pid }, 'the new worker process serves');
    } catch (error) {
      this.replace(index, error instanceof Error ? error.message : String(error), startedMs);
    }
  }

  private offer(id: number, index: number): Omit<Primary, 'serves' | 'fails'> {
    const { unixSockets, ledger } = this;
    return {
      start: () => ({
        config: this.config,
        activated: this.options.activated,
        isFirst: index === 0,
        isSuccessor: this.started,
      }),
      ask: (key) => ledger.ask(id, key),
      giveBack: (key, places) => ledger.giveBack(id, key, places),
      loginFailed: (address) => {
        for (const each of this.workers) if (each.id !== id) each.channel.tell('loginFailed', address);
      },
      prepareSocket: (options) => unixSockets.prepare(id, options),
      placeSocket: (options) => unixSockets.place(options),
      removeSocket: (options) => unixSockets.remove(id, options),
      metrics: () => this.metrics(),
    };
  }

  /** Sums over all workers, but for what is the same for all. */
  private async metrics(): Promise<string> {
    const values = await Promise.allSettled(this.workers.map((each) => each.channel.call('metrics')));
    const all = values.filter((each) => each.status === 'fulfilled').map(({ value }) => [...value]);
    return AggregatorRegistry.aggregate(all).metrics();
  }

  /** There is one copy of the sample store for all. */
  private async withSample(config: Config): Promise<Config> {
    const stores = new Map(config.stores);
    for (const [name, store] of stores) {
      if (store.location !== 'sample') continue;
      this.sample ??= await copySample();
      stores.set(name, { ...store, location: { scheme: 'fs', path: this.sample.path } });
    }
    return { ...config, stores };
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const result = this.last.then(work);
    this.last = result.catch(() => undefined);
    return result;
  }
}

/** Throws, with a message for the operator, where a configuration needs another number of processes. */
function checkWorkers(config: Config, before: Config): void {
  if (hasQuota(config)) {
    throw new Error('stores with a quota are served by one process: restart the gateway to give one a quota');
  }
  if (config.workers !== before.workers) throw new Error('restart the gateway to change the number of workers');
}

/** How many places there are of a key, as `serveAsWorker` makes them. */
function placesOf({ limits }: Config, key: string): number {
  if (key === 'connections') return limits.maxConnections;
  return key.startsWith('uploads of ') ? limits.maxUploads : limits.maxRequests;
}
