import type { Logger } from '../lib/logger.js';
import type { Ping, WatchEvent } from '../core/event.js';
import type { NotifyConfig, PrincipalConfig } from '../config/types.js';
import { DeliveryQueue, standardLimits, type Outcome, type DeliveryLimits } from './delivery-queue.js';
import { Pings } from './pings.js';
import { QueueFile, type Kept } from './queue-file.js';
import type { Channel, Target } from './target.js';
import { targetsOf } from './targets.js';
import { within } from './time-limit.js';

/** How long a disk that doesn't respond holds up what comes next, in milliseconds. */
const diskLimitMs = 3000;

export interface NotifierOptions {
  /** Where what isn't sent is kept, absolute; undefined: in memory, which a stop loses. */
  readonly stateDir: string | undefined;
  readonly log: Logger;
  /** In milliseconds since 1970-01-01 UTC. */
  readonly now?: () => number;
  readonly limits?: Partial<DeliveryLimits>;
  /** Called for each attempt, and for each notification that is given up. */
  readonly onDelivered?: (channel: Channel, outcome: Outcome) => void;
}

/**
 * Tells people and services of events, each by each target that is for it. What can't be sent is kept and sent later, in its order: a stop
 * repeats at most the one that was being sent, with the same id.
 */
export class Notifier {
  private readonly queues = new Map<string, DeliveryQueue>();
  private readonly pings: Pings;
  private targets: readonly Target[] = [];
  private file: QueueFile | undefined;
  /** What was read from the file, until targets are configured. */
  private restored: readonly Kept[] = [];
  private closing: Promise<void> | undefined;

  private constructor(private readonly options: NotifierOptions & { readonly limits: DeliveryLimits }) {
    const { log, limits, onDelivered } = options;
    this.pings = new Pings({ log, limits, onOutcome: (outcome) => onDelivered?.('ping', outcome) });
  }

  /** Reads what an earlier run has left. Fails with a message for the operator if the state folder can't be used. */
  static async open(options: NotifierOptions): Promise<Notifier> {
    const notifier = new Notifier({ ...options, limits: { ...standardLimits, ...options.limits } });
    if (options.stateDir !== undefined) {
      const { file, kept } = await QueueFile.open(options.stateDir, () => notifier.kept(), options.log);
      notifier.file = file;
      notifier.restored = kept;
    }
    return notifier;
  }

  /** How many notifications wait, counted for each target. */
  get pending(): number {
    return this.kept().length;
  }

  /** Sets the targets, at the start and at each reload. What waits for a target that is gone is dropped; the others are tried at once. */
  configure({
    notify,
    principals,
  }: {
    readonly notify: NotifyConfig;
    readonly principals: readonly Pick<PrincipalConfig, 'name' | 'pings'>[];
  }): void {
    this.pings.configure(principals);
    this.targets = targetsOf(notify, this.options.log);
    for (const target of this.targets) {
      const queue = this.queues.get(target.key);
      if (queue === undefined) this.queues.set(target.key, this.queueOf(target));
      else queue.sendTo(target);
    }
    for (const [key, queue] of this.queues) {
      if (this.targets.some((target) => target.key === key)) continue;
      this.queues.delete(key);
      this.dropped(queue.waiting.length);
      void queue.stop();
    }
    this.restore();
    void this.save();
  }

  /** Sends an event by all targets that are for it. Never fails and never waits. */
  notify(event: WatchEvent): void {
    const targets = this.targets.filter(({ events }) => events.has(event.event));
    for (const { key } of targets) this.queues.get(key)?.add([{ event, sinceMs: this.now() }]);
    if (targets.length > 0) void this.save();
  }

  /** Pings the URL of a principal and a store, if it has one. Never fails and never waits; a few attempts are made. */
  ping(ping: Ping): void {
    this.pings.send(ping);
  }

  /** Sends no more, and keeps what isn't sent in the file. Takes some seconds at most. Never rejects. */
  close(): Promise<void> {
    return (this.closing ??= this.finish());
  }

  private async finish(): Promise<void> {
    const stopped = [...this.queues.values(), this.pings].map((each) => each.stop());
    await within(this.options.limits.graceMs + diskLimitMs, Promise.all(stopped));
    if (this.file !== undefined) await within(diskLimitMs, this.file.close());
    else if (this.pending > 0) {
      const message = 'notifications were not sent, and are lost: a state-dir would keep them';
      this.options.log.warn({ waiting: this.pending }, message);
    }
  }

  /** Queues what an earlier run has left. */
  private restore(): void {
    const { restored } = this;
    this.restored = [];
    for (const [key, queue] of this.queues) {
      queue.add(restored.filter(({ target }) => target === key).map(({ event, sinceMs }) => ({ event, sinceMs })));
    }
    this.dropped(restored.filter(({ target }) => !this.queues.has(target)).length);
  }

  private dropped(count: number): void {
    if (count === 0) return;
    const message = 'notifications that waited for a receiver which is not configured any more are dropped';
    this.options.log.warn({ dropped: count }, message);
  }

  private queueOf(target: Target): DeliveryQueue {
    const { log, limits, onDelivered } = this.options;
    return new DeliveryQueue(target, {
      log,
      limits,
      now: () => this.now(),
      onOutcome: (outcome) => onDelivered?.(target.channel, outcome),
      save: () => this.save(),
    });
  }

  private save(): Promise<void> {
    return this.file === undefined ? Promise.resolve() : within(diskLimitMs, this.file.save());
  }

  private kept(): readonly Kept[] {
    const queued = [...this.queues].flatMap(([target, { waiting }]) => waiting.map((each) => ({ target, ...each })));
    return [...this.restored, ...queued];
  }

  private now(): number {
    return this.options.now?.() ?? Date.now();
  }
}
