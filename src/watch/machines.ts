import type { Config } from '../config/types.js';
import { dueOf, type Due } from './expectations.js';
import { keyOf, lastDays, type History, type HistoryRecord, type Pair } from './history.js';
import type { MachineStatus } from './status.js';

export interface MachinesOptions {
  readonly history: History;
  /** Called with each change that has to be kept. */
  readonly changed: (record: HistoryRecord) => void;
  /** Stands in for a caller's last backup where there is none in the history, in milliseconds since 1970-01-01 UTC. */
  readonly standInMs: (store: string) => number | undefined;
}

/** The callers that back up, by store: what is expected of them, and how they are. */
export class Machines {
  private config: Pick<Config, 'stores' | 'principals' | 'htpasswd'> | undefined;
  /** At most so long after a backup the next one is expected, in milliseconds. */
  private expected = new Map<string, number>();

  constructor(private readonly options: MachinesOptions) {}

  /** Changes who is expected to back up, and forgets callers and stores that are gone. */
  configure(config: Pick<Config, 'stores' | 'principals' | 'htpasswd'>, nowMs: number): void {
    const { history } = this.options;
    this.config = config;
    this.expected = new Map();
    for (const { name, expectBackupMs } of config.principals) {
      for (const [store, expectedMs] of expectBackupMs) {
        const pair = history.of(store, name);
        this.expected.set(keyOf(pair), expectedMs);
        if (pair.expectedSinceMs === undefined) this.change(pair, { expectedSinceMs: nowMs });
      }
    }
    for (const pair of [...history.all()]) {
      const isOver = pair.expectedSinceMs !== undefined && this.expectedMs(pair) === undefined;
      if (isOver) this.change(pair, { expectedSinceMs: undefined, isOverdue: undefined });
      if (!this.isConfigured(pair)) history.forget(pair, nowMs);
    }
  }

  /** Those of which backups are expected. */
  awaited(): Pair[] {
    return [...this.options.history.all()].filter((pair) => this.expectedMs(pair) !== undefined);
  }

  /** At most so long after a backup the next one is expected, in milliseconds; undefined: none is. */
  expectedMs(pair: Pair): number | undefined {
    return this.expected.get(keyOf(pair));
  }

  /** Finds out whether a backup has become overdue, or is no longer; undefined: nothing has changed. */
  changeOf(pair: Pair, nowMs: number): 'overdue' | 'back-on-time' | undefined {
    const due = this.dueOf(pair, nowMs);
    if (due === undefined || due.isOverdue === (pair.isOverdue ?? false)) return undefined;
    this.change(pair, { isOverdue: due.isOverdue });
    return due.isOverdue ? 'overdue' : 'back-on-time';
  }

  /** A row for each caller and store. */
  status(nowMs: number): MachineStatus[] {
    const isMachine = ({ backups, failure, expectedSinceMs }: Pair): boolean =>
      backups.length > 0 || failure !== undefined || expectedSinceMs !== undefined;
    const pairs = [...this.options.history.all()].filter((pair) => this.isConfigured(pair) && isMachine(pair));
    return pairs.map((pair) => this.row(pair, nowMs));
  }

  /** The bytes that were added to a store, by day: 30 days, the last one is today. */
  addedBytes(store: string, nowMs: number): number[] {
    const pairs = [...this.options.history.all()].filter((pair) => pair.store === store);
    const days = pairs.map((pair) => lastDays(pair, nowMs));
    return lastDays({ days: {} }, nowMs).map((_, i) => days.reduce((sum, each) => sum + (each[i]?.bytes ?? 0), 0));
  }

  private row(pair: Pair, nowMs: number): MachineStatus {
    const { store, principal, failure } = pair;
    const lastBackup = pair.backups.at(-1);
    const due = this.dueOf(pair, nowMs);
    const expectedMs = this.expectedMs(pair);
    const isFailing = failure !== undefined && failure.endMs > (lastBackup?.endMs ?? 0);
    return {
      principal,
      store,
      days: lastDays(pair, nowMs).map(({ completed, failed }) => ({ completed, failed })),
      isOverdue: due?.isOverdue ?? false,
      ...(lastBackup && {
        lastBackup: {
          startMs: lastBackup.startMs,
          endMs: lastBackup.endMs,
          newBytes: lastBackup.newBytes,
          address: lastBackup.address,
        },
      }),
      ...(isFailing && { lastFailure: { endMs: failure.endMs, ...(failure.reason && { reason: failure.reason }) } }),
      ...(expectedMs !== undefined && { expectedMs }),
      ...(due && { dueMs: due.dueMs }),
    };
  }

  private dueOf(pair: Pair, nowMs: number): Due | undefined {
    const expectedMs = this.expectedMs(pair);
    return expectedMs === undefined ? undefined : dueOf(expectedMs, pair, this.options.standInMs(pair.store), nowMs);
  }

  private change(pair: Pair, changes: { [K in 'expectedSinceMs' | 'isOverdue']?: Pair[K] }): void {
    Object.assign(pair, changes);
    this.options.changed({ pair });
  }

  /** Whether a store and a caller are still there. Callers may be known to the htpasswd file alone. */
  private isConfigured({ store, principal }: Pair): boolean {
    const { stores, principals = [], htpasswd } = this.config ?? {};
    const isKnown = principal === 'anonymous' || htpasswd !== undefined;
    return stores?.has(store) === true && (isKnown || principals.some(({ name }) => name === principal));
  }
}
