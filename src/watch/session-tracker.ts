import type { ReadTotal } from '../core/activity.js';
import type { AuditEntry } from '../core/audit.js';
import { RunningSession, type Running, type Subject } from './running-session.js';
import type { OpenSession, Session } from './session.js';

export interface SessionTimes {
  /** A lock that was last written so long ago is stale, in milliseconds. */
  readonly staleMs: number;
  /** A backup that has its state is over when its lock was not refreshed for so long: plakar leaves locks behind now and then. */
  readonly settledMs: number;
  /** A caller without a lock is done after so long without an operation, in milliseconds. */
  readonly idleMs: number;
}

/** plakar refreshes locks every five minutes, and takes them for stale after ten (kloset 1.1.3, repository/lock.go). */
export const sessionTimes: SessionTimes = { staleMs: 10 * 60_000, settledMs: 6 * 60_000, idleMs: 60_000 };

export interface SessionEvents {
  /** A session turned out to be a backup: its first packfile was put. */
  readonly backupBegins: (subject: Subject) => void;
  /** A session has a lock from now on. */
  readonly locked: (session: Running) => void;
  readonly ended: (session: Session) => void;
}

/**
 * Tells sessions from what callers do. Objects are encrypted, so it goes by their kinds and by the names of locks alone:
 *
 * - A lock begins a session, and its deletion ends it. A lock that is no longer refreshed ends it, too: its client is gone.
 * - A caller without a lock has a session until it writes nothing for a while, or reads nothing if it only reads. plakar puts a state, and nothing else, for each snapshot that it
 *   removes. A state after packfiles ends a session at once: it is a backup that was told to take no lock.
 * - A caller with several locks, such as a principal with one token on two machines, is told apart by its address. Where that is the same,
 *   too, the newest session gets what is put.
 *
 * Operations have to come in the order of their times.
 */
export class SessionTracker {
  /** By store and principal, the oldest first. */
  private readonly sessions = new Map<string, RunningSession[]>();
  /** By store and name of the lock. */
  private readonly holders = new Map<string, RunningSession>();

  constructor(
    private readonly events: SessionEvents,
    private readonly times: SessionTimes = sessionTimes,
  ) {}

  /** The sessions that have not ended. */
  open(nowMs: number): OpenSession[] {
    return [...this.sessions.values()].flat().map((each) => each.describe(nowMs));
  }

  /** Those of them that have written something, to go on with after a restart. */
  keep(): Running[] {
    return [...this.sessions.values()].flat().flatMap((each) => (each.isWriting ? [each.keep()] : []));
  }

  /** Goes on with sessions that were kept. */
  restore(kept: Iterable<Running>): void {
    for (const each of kept) {
      const session = this.add(RunningSession.restore(each));
      if (session.lock !== undefined) this.holders.set(lockKey({ store: session.store, mac: session.lock }), session);
    }
  }

  /** Takes a write, a delete or a refusal. */
  record(entry: AuditEntry): void {
    const { operation, kind } = entry;
    if (kind === undefined || (operation !== 'put' && operation !== 'delete')) return;
    if (kind === 'lock') this.recordLock(entry);
    else if (operation === 'put') this.recordPut(entry);
    else this.sessionOf(entry, entry.time).deleted(entry);
  }

  read(total: ReadTotal): void {
    this.sessionOf(total, total.lastMs).read(total);
  }

  /** Ends the sessions of callers that are gone. */
  tick(nowMs: number): void {
    for (const session of [...this.sessions.values()].flat()) {
      if (nowMs - session.lastMs > this.limitOf(session)) this.end(session, true);
    }
  }

  private limitOf({ lock, hasPackfiles, isComplete }: RunningSession): number {
    const { staleMs, settledMs, idleMs } = this.times;
    if (lock === undefined && !hasPackfiles) return idleMs;
    return isComplete ? settledMs : staleMs;
  }

  private recordLock(entry: AuditEntry): void {
    const holder = this.holders.get(lockKey(entry));
    if (entry.operation === 'delete') {
      if (holder !== undefined && entry.outcome === 'deleted') this.unlock(holder, entry);
      return;
    }
    if (entry.outcome !== 'stored') return this.recordRefusedLock(entry, holder);
    const session = holder ?? this.unlocked(entry, (each) => this.mayLock(each)) ?? this.begin(entry, entry.time);
    session.locked(entry);
    if (holder !== undefined) return;
    this.holders.set(lockKey(entry), session);
    this.events.locked(session.keep());
  }

  /**
   * Whether a session may turn out to have a lock: one that has only opened the store so far, or one that the gateway has seen only in part,
   * since it was started meanwhile.
   */
  private mayLock(session: RunningSession): boolean {
    return session.hasPackfiles || (!session.isWriting && session.ageMs < this.times.idleMs);
  }

  private unlock(session: RunningSession, { time, principal }: AuditEntry): void {
    // Another client removes a lock when it is stale.
    const isStale = Date.parse(time) - session.lastMs >= this.times.staleMs;
    const isOwn = !isStale && principal === session.principal;
    if (isOwn) session.wrote(time);
    this.end(session, !isOwn);
  }

  /** A client that can't put its first lock gives up. One that can't refresh it goes on. Anyone may be an anonymous caller who is refused. */
  private recordRefusedLock(entry: AuditEntry, holder: RunningSession | undefined): void {
    if (holder !== undefined || (entry.principal === 'anonymous' && entry.outcome === 'refused')) return;
    const session = this.unlocked(entry, (each) => this.mayLock(each)) ?? this.begin(entry, entry.time);
    session.lockRefused(entry);
    this.end(session, false);
  }

  private recordPut(entry: AuditEntry): void {
    const session = this.sessionOf(entry, entry.time);
    const wasBackup = session.hasPackfiles;
    session.put(entry);
    if (!wasBackup && session.hasPackfiles) this.events.backupBegins(session);
    const isStored = entry.outcome === 'created' || entry.outcome === 'unchanged';
    if (entry.kind === 'state' && isStored && session.lock === undefined && wasBackup) this.end(session, false);
  }

  /** The session that an operation belongs to: one with a lock, or the caller's other one, which it begins if need be. */
  private sessionOf(subject: Subject, time: string | number): RunningSession {
    const own = this.sessions.get(callerKey(subject)) ?? [];
    const locked = own.filter((each) => each.lock !== undefined);
    return (
      locked.findLast(({ address }) => address === subject.address) ??
      // A machine may have several addresses, but anonymous callers are different machines.
      (subject.principal === 'anonymous' ? undefined : locked.at(-1)) ??
      this.unlocked(subject) ??
      this.begin(subject, time)
    );
  }

  private unlocked(subject: Subject, matches?: (session: RunningSession) => boolean): RunningSession | undefined {
    const own = this.sessions.get(callerKey(subject)) ?? [];
    const isIt = (each: RunningSession): boolean => each.lock === undefined && each.address === subject.address;
    return own.find((each) => isIt(each) && matches?.(each) !== false);
  }

  private begin(subject: Subject, time: string | number): RunningSession {
    return this.add(RunningSession.begin(subject, new Date(time).getTime()));
  }

  private add(session: RunningSession): RunningSession {
    const key = callerKey(session);
    this.sessions.set(key, [...(this.sessions.get(key) ?? []), session]);
    return session;
  }

  /** @param gone whether its client left its lock behind */
  private end(session: RunningSession, gone: boolean): void {
    const key = callerKey(session);
    const others = (this.sessions.get(key) ?? []).filter((each) => each !== session);
    if (others.length > 0) this.sessions.set(key, others);
    else this.sessions.delete(key);
    if (session.lock !== undefined) this.holders.delete(lockKey({ store: session.store, mac: session.lock }));
    this.events.ended(session.end(gone && session.lock !== undefined));
  }
}

function callerKey({ store, principal }: Subject): string {
  return `${principal} ${store}`;
}

function lockKey({ store, mac = '' }: Pick<AuditEntry, 'store' | 'mac'>): string {
  return `${mac} ${store}`;
}
