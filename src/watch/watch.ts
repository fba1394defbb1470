import type { Registry } from 'prom-client';
import type { Config } from '../config/types.js';
import { hasRight, higher } from '../core/access.js';
import type { Activity } from '../core/activity.js';
import type { AuditEntry } from '../core/audit.js';
import type { Logger } from '../lib/logger.js';
import { version } from '../lib/package-info.js';
import { unusual } from './habits.js';
import { HistoryFile } from './history-file.js';
import { HeldEntries } from './held-entries.js';
import { History, type Pair } from './history.js';
import { Machines } from './machines.js';
import type { Observation } from './observation.js';
import type { Running } from './running-session.js';
import { SessionTracker, sessionTimes, type SessionTimes } from './session-tracker.js';
import type { Session } from './session.js';
import { Refusals } from './refusals.js';
import type { Status } from './status.js';
import { StoreHealth } from './store-health.js';
import type { StoreReport } from './store-report.js';
import { Teller, type Notifications } from './teller.js';
import { TrafficHistory } from './traffic.js';
import { UpkeepMetrics } from './upkeep-metrics.js';
import { UpkeepWatch } from './upkeep-watch.js';
import { fresh, WatchMetrics } from './watch-metrics.js';
import { WatchedStores } from './watched-stores.js';
import { bytesText, durationText, sessionText, storeText } from './wording.js';

export interface WatchOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Where the metrics are added. */
  readonly registry: Registry;
  readonly notifications: Notifications;
  /**
   * How long an operation is held back, in milliseconds, so that those of several processes are taken in the order of their times. Default:
   * not at all.
   */
  readonly holdBackMs?: number | undefined;
  readonly times?: SessionTimes | undefined;
}

/** How often expectations and gone clients are looked for, in milliseconds. */
const tickMs = 1000;

/** The pause between two events of the same kind about the same caller and store, in milliseconds. */
const pauseMs = 3_600_000;

/** A certificate is worth an event, once a day, from so long before its end, in milliseconds. */
const certificateWarningMs = 14 * 86_400_000;
const dayMs = 86_400_000;

/** How often sessions that run are kept, in milliseconds. */
const keepMs = 60_000;

/**
 * Knows what each caller did with each store and when it last backed up, and tells people when something is wrong. There is one for all
 * processes of a gateway.
 */
export class Watch {
  private readonly tracker: SessionTracker;
  private readonly metrics: WatchMetrics;
  private readonly teller: Teller;
  private readonly stores = new WatchedStores();
  private readonly health = new StoreHealth();
  private readonly upkeep: UpkeepWatch;
  private readonly traffic = new TrafficHistory();
  private readonly startedMs = Date.now();
  private config: Config;
  private readonly machines: Machines;
  private readonly held: HeldEntries;
  private readonly refusals = new Refusals();
  private keptMs = Date.now();
  private certificateExpiresMs: number | undefined;
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly options: WatchOptions,
    private readonly history: History,
    /** Undefined without a state folder. */
    private readonly file: HistoryFile | undefined,
  ) {
    const { config, log, notifications, registry, holdBackMs = 0, times = sessionTimes } = options;
    this.config = config;
    this.teller = new Teller(notifications, log);
    this.held = new HeldEntries(holdBackMs, (entry) => this.takeEntry(entry));
    this.machines = new Machines({
      history,
      changed: (record) => file?.append(record),
      standInMs: (store) => (file === undefined ? this.stores.newestStateMs(store) : undefined),
    });
    this.tracker = new SessionTracker(
      {
        backupBegins: ({ store, principal }) => notifications.ping({ store, principal, signal: 'start' }),
        locked: (running) => this.keep(running),
        ended: (session) => this.sessionEnded(session),
      },
      times,
    );
    this.tracker.restore(history.kept);
    const status = fresh(() => this.status());
    this.metrics = new WatchMetrics(registry, status, () => notifications.pending);
    this.upkeep = new UpkeepWatch(this.teller, new UpkeepMetrics(registry, status));
    this.configure(config);
    this.timer = setInterval(() => this.tick(), tickMs).unref();
  }

  /** Reads the history. Fails with a message for the operator if the state folder can't be used. */
  static async open(options: WatchOptions): Promise<Watch> {
    const { config, log } = options;
    const history = new History();
    const file = config.stateDir === undefined ? undefined : await HistoryFile.open(config.stateDir, history, log);
    return new Watch(options, history, file);
  }

  /** Changes the stores, and who is expected to back up. */
  configure(config: Config): void {
    this.config = config;
    this.machines.configure(config, Date.now());
    this.upkeep.configure(config, Date.now());
  }

  observe(observation: Observation): void {
    const { activity, reports = [], certificateExpiresMs } = observation;
    if (activity !== undefined) this.takeActivity(activity);
    for (const report of reports) this.takeReport(report);
    this.upkeep.observe(observation);
    if (certificateExpiresMs !== undefined) this.certificateExpiresMs = certificateExpiresMs;
  }

  /** Counts a notification that was delivered, or could not be. */
  notified(channel: string, outcome: string): void {
    this.metrics.notified(channel, outcome);
  }

  status(): Status {
    const nowMs = Date.now();
    return {
      version,
      instance: this.config.instance,
      nowMs,
      startedMs: this.startedMs,
      stores: [...this.config.stores].map(([name, { quotaBytes }]) => ({
        ...this.stores.status(name, quotaBytes, this.machines.addedBytes(name, nowMs)),
        ...this.upkeep.statusOf(name, nowMs),
      })),
      warnFreeBytes: this.config.notify.warnFreeBytes,
      machines: this.machines.status(nowMs),
      openSessions: this.tracker.open(nowMs),
      sessions: this.history.sessions,
      refusals: this.refusals.all,
      traffic: this.traffic.minutes(nowMs),
      ...(this.certificateExpiresMs !== undefined && { certificateExpiresMs: this.certificateExpiresMs }),
    };
  }

  /** Takes what is held back, and closes the file. Never rejects. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.held.flush();
    this.keepAll();
    await this.file?.close();
  }

  private takeActivity({ entries, reads, traffic }: Activity): void {
    // Reads first: those of a session must not come after its end.
    for (const total of reads) this.tracker.read(total);
    this.held.add(entries);
    this.traffic.add(traffic, Date.now());
  }

  private takeEntry(entry: AuditEntry): void {
    const { store, principal, operation, kind, outcome, bytes = 0, time } = entry;
    if (outcome === 'created') this.stores.addObject(store, kind, bytes, Date.parse(time));
    if (outcome === 'trashed') this.metrics.trashedObject(store);
    if (operation === 'purge') this.metrics.purgedObject(store);
    if (outcome === 'refused') {
      if (operation === 'login') this.metrics.loginFailed();
      // Callers may ask for stores of any name.
      else this.metrics.refused(this.config.stores.has(store) ? store : '(unknown)', entry.code ?? '');
      this.refusals.add(entry);
      if (operation === 'delete' && !this.mayDelete(entry)) {
        this.teller.tell(
          'delete-refused',
          { store, principal },
          `${principal} tried to delete a ${kind} of ${storeText(store)}, and was refused`,
          pauseMs,
        );
      }
    }
    this.tracker.record(entry);
  }

  /** Whether a caller's deletes are refused for the retention alone: plakar's maintenance tries them all, and is none the worse for it. */
  private mayDelete({ store, principal }: AuditEntry): boolean {
    const { anonymous = 'none', retentionMs = 0 } = this.config.stores.get(store) ?? {};
    const access = this.config.principals.find(({ name }) => name === principal)?.access;
    const own = access?.get(store) ?? access?.get('*') ?? 'none';
    return retentionMs > 0 && hasRight(higher(own, anonymous), 'delete');
  }

  private sessionEnded(session: Session): void {
    const { store, principal, kind, outcome, newBytes } = session;
    const pair = this.history.of(store, principal);
    const before = pair.backups.map((each) => each.newBytes);
    this.history.add({ session });
    this.file?.append({ session });
    this.metrics.sessionEnded(session);
    if (kind === 'removal' || kind === 'maintenance') this.changeEnded(session);
    if (kind !== 'backup') return;
    // Its client was killed, and that is noticed after the next backup only: nothing is wrong any more.
    const isOld = outcome === 'failed' && session.endMs < (pair.backups.at(-1)?.endMs ?? 0);
    if (isOld) return;
    this.options.notifications.ping({ store, principal, signal: outcome === 'completed' ? 'success' : 'fail' });
    if (outcome === 'failed') {
      this.teller.tell('backup-failed', { store, principal }, sessionText(session), pauseMs);
      return;
    }
    this.teller.forget('backup-failed', { store, principal });
    const what = unusual(newBytes, before);
    if (what !== undefined) {
      const usual = `its last ${before.length} backups added ${bytesText(Math.min(...before))} to ${bytesText(Math.max(...before))}`;
      const text = `${sessionText(session)}, unusually ${what}: ${usual}`;
      this.teller.tell('unusual-backup', { store, principal }, text);
    }
    this.checkDue(pair, Date.now());
  }

  /** Tells of a session that took something away. */
  private changeEnded(session: Session): void {
    const { store, principal, kind, outcome, deletedObjects } = session;
    if (outcome !== 'completed' && deletedObjects === 0) return;
    if (kind === 'removal') this.teller.tell('removal', { store, principal }, sessionText(session));
    else this.teller.tell(deletedObjects > 0 ? 'deletion' : 'removal', { store, principal }, sessionText(session));
  }

  private takeReport(report: StoreReport): void {
    const { store } = report;
    this.stores.take(report);
    const quotaBytes = this.config.stores.get(store)?.quotaBytes;
    const { warnFreeBytes } = this.config.notify;
    const usedBytes = this.stores.usedBytes(store);
    for (const { event, text } of this.health.take(report, { quotaBytes, usedBytes, warnFreeBytes }))
      this.teller.tell(event, { store }, text);
  }

  private tick(): void {
    const nowMs = Date.now();
    this.tracker.tick(nowMs);
    if (nowMs - this.keptMs > keepMs) this.keepAll();
    for (const pair of this.machines.awaited()) this.checkDue(pair, nowMs);
    this.upkeep.tick(nowMs);
    const leftMs = (this.certificateExpiresMs ?? Infinity) - nowMs;
    if (leftMs < certificateWarningMs) {
      const when = leftMs > 0 ? `expires in ${durationText(leftMs)}` : 'has expired';
      this.teller.tell('certificate-expiring', {}, `the TLS certificate ${when}`, dayMs);
    }
  }

  /** Tells when a backup has become overdue, or has come after all. */
  private checkDue(pair: Pair, nowMs: number): void {
    const change = this.machines.changeOf(pair, nowMs);
    const { store, principal } = pair;
    if (change === 'back-on-time')
      this.teller.tell(change, pair, `${principal} has backed up into ${storeText(store)} again`);
    if (change !== 'overdue') return;
    const last = pair.backups.at(-1)?.endMs;
    const since = last === undefined ? 'yet' : `for ${durationText(nowMs - last)}`;
    const expected = `expected at least every ${durationText(this.machines.expectedMs(pair) ?? 0)}`;
    this.teller.tell('overdue', pair, `${principal} has not backed up into ${storeText(store)} ${since} (${expected})`);
  }

  /** Keeps all sessions that run, so that a restart of the gateway doesn't break them off. */
  private keepAll(): void {
    this.keptMs = Date.now();
    for (const running of this.tracker.keep()) this.keep(running);
  }

  private keep(running: Running): void {
    this.history.add({ running });
    this.file?.append({ running });
  }
}
