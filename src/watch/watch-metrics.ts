import { Counter, type Registry } from 'prom-client';
import { addGauge, type SetValue } from './looked-up-gauge.js';
import type { Session, SessionKind } from './session.js';
import type { Status } from './status.js';

/** The metrics of sessions, expectations and stores. Their labels are bounded by the configuration's stores and principals. */
export class WatchMetrics {
  private readonly sessions;
  private readonly checkpoints;
  private readonly deleted;
  private readonly trashed;
  private readonly purged;
  private readonly refusals;
  private readonly loginFailures;
  private readonly notifications;

  /**
   * @param status looked up when metrics are read
   * @param pending how many notifications have not been delivered
   */
  constructor(
    private readonly registry: Registry,
    status: () => Status,
    pending: () => number,
  ) {
    const registers = [registry];
    const pair = ['store', 'principal'] as const;
    this.sessions = new Counter({
      name: 'kloset_gateway_sessions_total',
      help: 'Sessions of callers that ended, by what they were and how they ended.',
      labelNames: [...pair, 'kind', 'outcome'],
      registers,
      // From 0 on, so that the first one counts as an increase.
      collect() {
        for (const { store, principal } of status().machines) {
          for (const outcome of ['completed', 'failed']) this.inc({ store, principal, kind: 'backup', outcome }, 0);
          this.inc({ store, principal, kind: 'removal', outcome: 'completed' }, 0);
        }
      },
    });
    this.checkpoints = new Counter({
      name: 'kloset_gateway_checkpoints_total',
      help: 'States that long backups put in their course.',
      labelNames: pair,
      registers,
    });
    this.deleted = new Counter({
      name: 'kloset_gateway_deleted_objects_total',
      help: 'Packfiles and states that callers deleted.',
      labelNames: pair,
      registers,
    });
    this.trashed = new Counter({
      name: 'kloset_gateway_trashed_objects_total',
      help: 'Packfiles and states that callers deleted and that went into the trash.',
      labelNames: ['store'],
      registers,
    });
    this.purged = new Counter({
      name: 'kloset_gateway_purged_objects_total',
      help: 'Packfiles and states that were removed from the trash for good, since their time was up.',
      labelNames: ['store'],
      registers,
    });
    this.refusals = new Counter({
      name: 'kloset_gateway_refusals_total',
      help: 'Operations on stores that were refused, by error code.',
      labelNames: ['store', 'code'],
      registers,
    });
    this.loginFailures = new Counter({
      name: 'kloset_gateway_login_failures_total',
      help: 'Requests that were refused because of their credentials.',
      registers,
    });
    this.notifications = new Counter({
      name: 'kloset_gateway_notifications_total',
      help: 'Notifications of people and services, by channel and outcome.',
      labelNames: ['channel', 'outcome'],
      registers,
    });
    this.addMachines(status);
    this.addStores(status);
    this.gauge('kloset_gateway_notifications_pending', 'Notifications that have not been delivered yet.', [], (set) =>
      set({}, pending()),
    );
  }

  sessionEnded({ store, principal, kind, outcome, checkpoints, deletedObjects }: Session): void {
    this.sessions.inc({ store, principal, kind, outcome });
    if (checkpoints > 0) this.checkpoints.inc({ store, principal }, checkpoints);
    if (deletedObjects > 0) this.deleted.inc({ store, principal }, deletedObjects);
  }

  trashedObject(store: string): void {
    this.trashed.inc({ store });
  }

  purgedObject(store: string): void {
    this.purged.inc({ store });
  }

  refused(store: string, code: string): void {
    this.refusals.inc({ store, code });
  }

  loginFailed(): void {
    this.loginFailures.inc();
  }

  notified(channel: string, outcome: string): void {
    this.notifications.inc({ channel, outcome });
  }

  private addMachines(status: () => Status): void {
    const pair = ['store', 'principal'] as const;
    const ofMachines = (
      name: string,
      help: string,
      value: (machine: Status['machines'][number]) => number | undefined,
    ): void =>
      this.gauge(name, help, pair, (set) => {
        for (const machine of status().machines) {
          const { store, principal } = machine;
          set({ store, principal }, value(machine));
        }
      });
    ofMachines(
      'kloset_gateway_last_backup_timestamp_seconds',
      'When the last completed backup ended, in seconds since 1970-01-01 UTC.',
      ({ lastBackup }) => lastBackup && lastBackup.endMs / 1000,
    );
    ofMachines(
      'kloset_gateway_last_backup_duration_seconds',
      'How long the last completed backup took.',
      ({ lastBackup }) => lastBackup && (lastBackup.endMs - lastBackup.startMs) / 1000,
    );
    ofMachines(
      'kloset_gateway_last_backup_new_bytes',
      'Bytes that the last completed backup added.',
      ({ lastBackup }) => lastBackup?.newBytes,
    );
    ofMachines(
      'kloset_gateway_backup_overdue',
      'Whether an expected backup is overdue: 1, otherwise 0.',
      ({ expectedMs, isOverdue }) => expectedMs && Number(isOverdue),
    );
    ofMachines(
      'kloset_gateway_backup_expected_seconds',
      'At most so long after a backup the next one is expected.',
      ({ expectedMs }) => expectedMs && expectedMs / 1000,
    );
    this.gauge('kloset_gateway_open_sessions', 'Sessions that have not ended.', ['store', 'kind'], (set) => {
      const counts = new Map<string, { store: string; kind: SessionKind; count: number }>();
      for (const { store, kind } of status().openSessions) {
        const key = `${kind} ${store}`;
        const entry = counts.get(key) ?? { store, kind, count: 0 };
        counts.set(key, { ...entry, count: entry.count + 1 });
      }
      for (const { count, ...labels } of counts.values()) set(labels, count);
    });
  }

  private addStores(status: () => Status): void {
    const ofStores = (
      name: string,
      help: string,
      value: (store: Status['stores'][number]) => number | undefined,
    ): void =>
      this.gauge(name, help, ['store'], (set) => {
        for (const each of status().stores) set({ store: each.name }, value(each));
      });
    ofStores('kloset_gateway_store_up', 'Whether the store could be reached: 1, otherwise 0.', ({ isReachable }) =>
      isReachable === undefined ? undefined : Number(isReachable),
    );
    ofStores('kloset_gateway_store_objects', 'Packfiles and states in the store.', ({ objects }) => objects);
    ofStores('kloset_gateway_store_bytes', 'Bytes of the packfiles and states in the store.', ({ bytes }) => bytes);
    ofStores('kloset_gateway_store_quota_bytes', "The store's quota.", ({ quotaBytes }) => quotaBytes);
    ofStores('kloset_gateway_store_free_bytes', "What is free on the store's disk.", ({ freeBytes }) => freeBytes);
    ofStores('kloset_gateway_store_locks', 'Locks in the store.', ({ locks }) => locks);
    ofStores(
      'kloset_gateway_store_oldest_lock_timestamp_seconds',
      'When the oldest lock was last written, in seconds since 1970-01-01 UTC; absent without a lock.',
      ({ oldestLockMs }) => oldestLockMs && oldestLockMs / 1000,
    );
  }

  private gauge<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    collect: (set: SetValue<L>) => void,
  ): void {
    addGauge(this.registry, { name, help, labelNames }, collect);
  }
}

/** How long a status is used, in milliseconds. */
const freshMs = 100;

/** Looks a status up, but not again at once: once for all metrics that are read. */
export function fresh(statusNow: () => Status): () => Status {
  let last: { readonly status: Status; readonly untilMs: number } | undefined;
  return () => {
    if (last === undefined || performance.now() > last.untilMs)
      last = { status: statusNow(), untilMs: performance.now() + freshMs };
    return last.status;
  };
}
