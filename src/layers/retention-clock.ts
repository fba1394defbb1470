import { hrtime } from 'node:process';
import { ifPresent, StoreError } from '../core/errors.js';
import { formatMoment } from '../core/moment.js';
import type { Store } from '../core/store.js';
import type { Trash } from '../core/trash.js';
import type { Logger } from '../lib/logger.js';
import { SingleFlight } from '../lib/single-flight.js';
import { statAll } from '../core/stat-all.js';

/** The machine's clocks, in milliseconds. */
export interface Clocks {
  /** Since 1970-01-01 UTC. It may be set to any time at any moment. */
  wallMs(): number;
  /** Since a moment that is the same for all processes of the machine. It goes on evenly, whatever happens to the other one. */
  monotonicMs(): number;
}

export const machineClocks: Clocks = {
  wallMs: () => Date.now(),
  // performance.now() counts from the start of its own process.
  monotonicMs: () => Number(hrtime.bigint()) / 1e6,
};

/** A moment by both clocks. */
export interface Instant {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

export function instantOf(clocks: Clocks): Instant {
  return { wallMs: clocks.wallMs(), monotonicMs: clocks.monotonicMs() };
}

/** The wall clock as it was at an instant, and the monotonic time since, in whole milliseconds. */
export function timeSince({ wallMs, monotonicMs }: Instant, clocks: Clocks): number {
  return Math.round(wallMs + clocks.monotonicMs() - monotonicMs);
}

export interface RetentionClockOptions {
  /** The store's name, for the log. */
  readonly name: string;
  readonly log: Pick<Logger, 'warn'>;
  /** When the gateway started: one instant for all its processes, whenever they start. */
  readonly start: Instant;
  /** The store's trash, if it has one by now. Default: none. */
  readonly trash?: () => Trash | undefined;
  /** Default: the machine's. */
  readonly clocks?: Clocks;
}

/** What the times of a store's states say about the wall clock. */
interface Evidence {
  /** By how much the wall clock was ahead of what it is believed to at the start, in milliseconds: 0, or more. */
  readonly aheadMs: number;
  /** If the clock must be wrong, as a state is from its future. */
  readonly problem: { readonly newestMs: number; readonly text: string } | undefined;
  /** When the states were looked at, by the monotonic clock. */
  readonly lookedMs: number;
}

/** A store that is backed up into every day has had a state since then. */
const believedAheadMs = 26 * 3_600_000;

/** No two machines' clocks are the same. */
const toleranceMs = 3_600_000;

/** How often the wall clock is compared with the monotonic one, in milliseconds. */
const compareEveryMs = 60_000;

/** How long the clock counts as wrong before the states are looked at again, in milliseconds. */
const problemLastsMs = 60_000;

/**
 * The time by which objects become old enough to be deleted: the wall clock at the start, and the monotonic clock since. So a wall clock that
 * jumps doesn't make anything older. Where it was wrong at the start already, the store's states tell: it is believed to at most 26 h after
 * the newest one that had arrived, or gone to the trash, by then, and not at all while states are more than an hour ahead of it. An operator
 * who knows better can have it trusted.
 */
export class RetentionClock {
  private readonly clocks: Clocks;
  /** When an operator confirmed the wall clock, whose later jumps don't matter then; undefined if none did. */
  trusted: Instant | undefined;
  private evidence: Evidence | undefined;
  private readonly lookup = new SingleFlight<Evidence>();
  private readonly stopped = new AbortController();
  /** The wall clock's times while it was behind, and by how much at most: what arrived then seems older than it is. */
  private lag = { fromMs: Infinity, toMs: -Infinity, mostMs: 0 };
  private readonly timer: NodeJS.Timeout;

  /** @param store has the states that are looked at when it matters: once, and again while the clock must be wrong */
  constructor(
    private readonly store: Pick<Store, 'list' | 'stat'>,
    private readonly options: RetentionClockOptions,
  ) {
    this.clocks = options.clocks ?? machineClocks;
    this.timer = setInterval(() => this.compare(), compareEveryMs).unref();
  }

  /** The latest that it can be. What isn't old enough then needs no closer look. */
  get latestMs(): number {
    return timeSince(this.trusted ?? this.options.start, this.clocks);
  }

  /**
   * Resolves to the time, in milliseconds since 1970-01-01 UTC. Fails with `permission_denied`, and what to do, if the wall clock must be wrong,
   * and as the store's operations if its states can't be looked at.
   */
  async now(): Promise<number> {
    if (this.trusted !== undefined) return this.latestMs;
    const { problem, aheadMs } = this.current ?? (await this.lookup.run(() => this.look()));
    if (problem !== undefined) throw new StoreError('permission_denied', problem.text);
    return this.latestMs - aheadMs;
  }

  /** When an object arrived, or was deleted, that the wall clock has given this time. To be asked after `now`. */
  momentOf(wallMs: number): number {
    const { fromMs, toMs, mostMs } = this.lag;
    const behindMs = mostMs - (this.trusted === undefined ? (this.evidence?.aheadMs ?? 0) : 0);
    return wallMs >= fromMs && wallMs <= toMs && behindMs > toleranceMs ? wallMs + behindMs : wallMs;
  }

  /** Compares the clocks. To be called when an object has arrived. */
  compare(): void {
    const wallMs = this.clocks.wallMs();
    const behindMs = this.latestMs - wallMs;
    if (behindMs <= toleranceMs) return;
    const { fromMs, toMs, mostMs } = this.lag;
    this.lag = {
      // The times of files are rounded, and those of large ones somewhat earlier.
      fromMs: Math.min(fromMs, wallMs - toleranceMs),
      toMs: Math.max(toMs, wallMs + compareEveryMs),
      mostMs: Math.max(mostMs, behindMs),
    };
  }

  /** Ends what runs in the background. */
  stop(): void {
    clearInterval(this.timer);
    this.stopped.abort();
  }

  /** The evidence, unless the states have to be looked at. */
  private get current(): Evidence | undefined {
    const { evidence } = this;
    const isOver = evidence?.problem !== undefined && this.clocks.monotonicMs() - evidence.lookedMs >= problemLastsMs;
    return isOver ? undefined : evidence;
  }

  private async look(): Promise<Evidence> {
    const { start, name, log } = this.options;
    const lookedMs = this.clocks.monotonicMs();
    let newestMs = -Infinity;
    let newestBeforeMs = -Infinity;
    for await (const { modifiedMs } of statAll(this.store, 'state', this.stopped)) {
      newestMs = Math.max(newestMs, modifiedMs);
      if (modifiedMs <= start.wallMs) newestBeforeMs = Math.max(newestBeforeMs, modifiedMs);
    }
    newestBeforeMs = Math.max(newestBeforeMs, await this.newestTrashed());
    const nowMs = this.latestMs;
    const what = name === '' ? 'the default store' : `store ${name}`;
    if (newestMs > nowMs + toleranceMs) {
      const text =
        `nothing can be deleted, because the gateway's clock seems wrong: it says ${minute(nowMs)}, but the newest state is from ` +
        `${minute(newestMs)}; the gateway's operator can set the clock and restart the gateway, or, if it is right, set trust-clock`;
      if (this.evidence?.problem?.newestMs !== newestMs) log.warn({ store: name }, `${what}: ${text}`);
      return (this.evidence = { problem: { newestMs, text }, aheadMs: 0, lookedMs });
    }
    // Without a state there is nothing that it contradicts.
    const aheadMs = newestBeforeMs === -Infinity ? 0 : Math.max(0, start.wallMs - newestBeforeMs - believedAheadMs);
    if (aheadMs > 0) {
      log.warn(
        { store: name },
        `${what}: the newest state is from ${minute(newestBeforeMs)}, and the clock said ${minute(start.wallMs)} when the gateway ` +
          `started: for retention and the trash, time goes on from ${minute(start.wallMs - aheadMs)}; if the clock is right, set trust-clock`,
      );
    }
    return (this.evidence = { problem: undefined, aheadMs, lookedMs });
  }

  /** The newest time by the start that a state in the trash has: of its arrival, or of its delete. -Infinity if there is none. */
  private async newestTrashed(): Promise<number> {
    const { trash, start } = this.options;
    const found = trash?.();
    let newestMs = -Infinity;
    if (found === undefined) return newestMs;
    for await (const object of found.list(this.stopped)) {
      this.stopped.signal.throwIfAborted();
      if (object.ref.kind !== 'state') continue;
      // Nothing is deleted before it has arrived.
      const isBefore = object.deletedMs <= start.wallMs;
      const ms = isBefore ? object.deletedMs : (await ifPresent(found.stat(object, this.stopped)))?.modifiedMs;
      if (ms !== undefined && ms <= start.wallMs) newestMs = Math.max(newestMs, ms);
    }
    return newestMs;
  }
}

/** A moment, to the minute. */
export function minute(ms: number): string {
  return formatMoment(Math.floor(ms / 60_000) * 60_000);
}
