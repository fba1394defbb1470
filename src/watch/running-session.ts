import { z } from 'zod';
import type { ReadTotal } from '../core/activity.js';
import type { AuditEntry } from '../core/audit.js';
import { Rate } from './rate.js';
import type { OpenSession, Session, SessionKind } from './session.js';

/** Whose operations make up a session. */
export type Subject = Pick<AuditEntry, 'store' | 'principal' | 'address'>;

/** What is known of a session while it runs. Plain data, which is kept over a restart. */
export const runningSchema = z.object({
  store: z.string(),
  principal: z.string(),
  address: z.string(),
  /** The name of its lock, if it has one. */
  lock: z.string().optional(),
  wantedLock: z.boolean(),
  /** Whether the gateway has seen it from its beginning. */
  isWhole: z.boolean(),
  startMs: z.number(),
  /** When its last operation ended, and its last write. */
  lastMs: z.number(),
  lastWriteMs: z.number(),
  /** Uploads, successful or not. */
  packfiles: z.number(),
  states: z.number(),
  /** Whether a state of the lock's name was put: it is the first one of every backup. */
  hasOwnState: z.boolean(),
  /** Packfiles since the last state. */
  loose: z.number(),
  deletes: z.number(),
  deletedObjects: z.number(),
  newObjects: z.number(),
  newBytes: z.number(),
  readBytes: z.number(),
  /** What was last refused, or failed, of its writes. */
  lastProblem: z.string().optional(),
});

export type Running = z.output<typeof runningSchema>;

/** A session that runs. */
export class RunningSession {
  private readonly rate = new Rate();

  private constructor(private readonly known: Running) {}

  /** @param startMs in milliseconds since 1970-01-01 UTC */
  static begin({ store, principal, address }: Subject, startMs: number): RunningSession {
    return new RunningSession({
      store,
      principal,
      address,
      wantedLock: false,
      isWhole: true,
      startMs,
      lastMs: startMs,
      lastWriteMs: startMs,
      packfiles: 0,
      states: 0,
      hasOwnState: false,
      loose: 0,
      deletes: 0,
      deletedObjects: 0,
      newObjects: 0,
      newBytes: 0,
      readBytes: 0,
    });
  }

  /** Goes on with a session that was kept. */
  static restore(known: Running): RunningSession {
    return new RunningSession({ ...known });
  }

  get store(): string {
    return this.known.store;
  }

  get principal(): string {
    return this.known.principal;
  }

  get address(): string {
    return this.known.address;
  }

  /** The name of its lock, if it has one. */
  get lock(): string | undefined {
    return this.known.lock;
  }

  /** When its last write ended; of one that only reads, its last read. In milliseconds since 1970-01-01 UTC. */
  get lastMs(): number {
    return this.isWriting ? this.known.lastWriteMs : this.known.lastMs;
  }

  /** Whether it has done, or tried, more than reading. */
  get isWriting(): boolean {
    return this.lock !== undefined || this.kind !== 'read';
  }

  get hasPackfiles(): boolean {
    return this.known.packfiles > 0;
  }

  get ageMs(): number {
    return this.known.lastMs - this.known.startMs;
  }

  /** Whether it has all that a backup needs: a state after all packfiles. Under a lock, some state has the lock's name. */
  get isComplete(): boolean {
    const { packfiles, states, loose, hasOwnState, lock, isWhole } = this.known;
    return packfiles > 0 && states > 0 && loose === 0 && (hasOwnState || lock === undefined || !isWhole);
  }

  private get kind(): SessionKind {
    const { lock, packfiles, states, hasOwnState, deletes, deletedObjects, wantedLock } = this.known;
    // Before all else: who removes snapshots must not be able to hide it behind other requests.
    if (lock === undefined && packfiles === 0 && states > 0) return 'removal';
    if (deletedObjects > 0) return 'maintenance';
    // A long backup puts its first checkpoint whether or not a packfile is full.
    if (packfiles > 0 || hasOwnState) return 'backup';
    if (states > 0 || deletes > 0) return 'maintenance';
    return wantedLock ? 'backup' : 'read';
  }

  /** What has to be kept to go on with it after a restart. */
  keep(): Running {
    return { ...this.known };
  }

  /** Its lock was put: for the first time, or to refresh it. */
  locked({ mac, time }: AuditEntry): void {
    // What was read before belongs to it, as clients read the states first, but it begins with the lock.
    if (!this.isWriting) this.known.startMs = Date.parse(time);
    else if (this.lock === undefined) this.known.isWhole = false;
    this.known.lock = mac;
    this.wrote(time);
  }

  /** Its lock could not be put. */
  lockRefused(entry: AuditEntry): void {
    this.known.wantedLock = true;
    this.problem(entry);
  }

  /** A packfile or a state was put, or could not be. */
  put(entry: AuditEntry): void {
    const { known } = this;
    const { kind, mac, outcome, bytes = 0, time } = entry;
    this.wrote(time, bytes);
    if (kind === 'packfile') {
      known.packfiles++;
      known.loose++;
    } else known.states++;
    if (outcome === 'failed' || outcome === 'refused') return this.problem(entry);
    if (kind === 'state') {
      known.loose = 0;
      known.hasOwnState ||= mac === known.lock;
    }
    if (outcome !== 'created') return;
    known.newObjects++;
    known.newBytes += bytes;
  }

  /** A packfile or a state was deleted, or could not be. */
  deleted(entry: AuditEntry): void {
    this.known.deletes++;
    this.wrote(entry.time);
    if (entry.outcome === 'deleted' || entry.outcome === 'trashed') this.known.deletedObjects++;
    else this.problem(entry);
  }

  read({ bytes, lastMs }: ReadTotal): void {
    this.known.readBytes += bytes;
    this.known.lastMs = Math.max(this.known.lastMs, lastMs);
    this.rate.add(lastMs, bytes);
  }

  /** It wrote something at that time. */
  wrote(time: string, bytes = 0): void {
    const ms = Date.parse(time);
    this.known.lastMs = Math.max(this.known.lastMs, ms);
    this.known.lastWriteMs = Math.max(this.known.lastWriteMs, ms);
    this.rate.add(ms, bytes);
  }

  describe(nowMs: number): OpenSession {
    const { states, lastMs } = this.known;
    return { ...this.facts(), checkpoints: states, lastMs, bytesPerSecond: this.rate.at(nowMs) };
  }

  /**
   * What it was, once it has ended.
   *
   * @param gone whether its client left its lock behind. That alone is no failure: plakar does so now and then after all went well
   */
  end(gone: boolean): Session {
    const { packfiles, states, newObjects, deletedObjects, lastProblem } = this.known;
    // plakar 1.0 marks packfiles for deletion with a state of the lock's name.
    const isMarking = this.kind === 'backup' && packfiles === 0 && states > 0 && !gone;
    const kind = isMarking ? 'maintenance' : this.kind;
    const isRefused = kind !== 'read' && newObjects === 0 && deletedObjects === 0 && lastProblem !== undefined;
    const isFailed = isRefused || (kind === 'backup' && !this.isComplete);
    const reason =
      lastProblem ?? (gone ? 'its client is gone: its lock was never removed' : 'it ended without a state');
    return {
      ...this.facts(),
      kind,
      // The last state of a backup is its end.
      checkpoints: kind === 'backup' ? Math.max(0, states - (isFailed ? 0 : 1)) : 0,
      outcome: isFailed ? 'failed' : 'completed',
      ...(isFailed && { reason }),
      endMs: this.lastMs,
    };
  }

  private facts(): Omit<OpenSession, 'lastMs' | 'bytesPerSecond' | 'checkpoints'> {
    const { store, principal, address, startMs, newObjects, newBytes, deletedObjects, readBytes } = this.known;
    return { store, principal, address, kind: this.kind, startMs, newObjects, newBytes, deletedObjects, readBytes };
  }

  private problem({ operation, kind, reason = 'it failed' }: AuditEntry): void {
    this.known.lastProblem = `${operation} of a ${kind}: ${reason}`;
  }
}
