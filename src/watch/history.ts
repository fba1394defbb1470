import { z } from 'zod';
import { runningSchema, type Running } from './running-session.js';
import { sessionKinds, type Session } from './session.js';
import type { Day } from './status.js';

const dayMs = 86_400_000;

/** How many days are remembered day by day. */
export const rememberedDays = 30;

/** How many backups of a caller into a store, and how many sessions of all, are remembered one by one. */
const rememberedBackups = 20;
const rememberedSessions = 100;

const sessionSchema = z.object({
  store: z.string(),
  principal: z.string(),
  address: z.string(),
  kind: z.enum(sessionKinds),
  outcome: z.enum(['completed', 'failed']),
  reason: z.string().optional(),
  startMs: z.number(),
  endMs: z.number(),
  newObjects: z.number(),
  newBytes: z.number(),
  deletedObjects: z.number(),
  checkpoints: z.number(),
  readBytes: z.number(),
});

/** A caller's use of a store. */
const pairSchema = z.object({
  store: z.string(),
  principal: z.string(),
  /** Completed ones, the oldest first. */
  backups: z.array(sessionSchema),
  /** The last one that failed. */
  failure: sessionSchema.optional(),
  /** By the number of the day since 1970-01-01 UTC: backups, and the bytes that were added. */
  days: z.record(z.string(), z.object({ completed: z.number(), failed: z.number(), bytes: z.number() })),
  /** Since when backups are expected, if they are. */
  expectedSinceMs: z.number().optional(),
  /** Whether people were told that the next backup is overdue. */
  isOverdue: z.boolean().optional(),
});

/**
 * What is written to the file of the history: a session that ended, one that runs, or a pair that changed otherwise. A file that was written anew has all
 * pairs, then the last sessions, which are marked so that they don't count twice.
 */
export const recordSchema = z.union([
  z.object({ session: sessionSchema, isCounted: z.boolean().optional() }),
  z.object({ running: runningSchema }),
  z.object({ pair: pairSchema }),
]);

export type HistoryRecord = z.output<typeof recordSchema>;

export type Pair = z.output<typeof pairSchema>;

/** What is remembered of sessions that ended. Its size is bounded by the numbers of callers and stores. */
export class History {
  private readonly pairs = new Map<string, Pair>();
  private last: Session[] = [];
  /** Sessions that had not ended when they were last kept. */
  private readonly running = new Map<string, Running>();

  /** The last sessions, the newest first. */
  get sessions(): readonly Session[] {
    return this.last.toReversed().sort((a, b) => b.endMs - a.endMs);
  }

  /** Sessions that have not ended, as they were last kept. */
  get kept(): Iterable<Running> {
    return this.running.values();
  }

  /** Takes a record of the file, or of what happens now. */
  add(record: HistoryRecord): void {
    if ('pair' in record) {
      this.pairs.set(keyOf(record.pair), record.pair);
      return;
    }
    if ('running' in record) {
      this.running.set(sessionKey(record.running), record.running);
      return;
    }
    const session = record.session as Session;
    this.running.delete(sessionKey(session));
    this.last.push(session);
    if (this.last.length > rememberedSessions) this.last.shift();
    if (record.isCounted !== true) this.count(session);
  }

  /** All records that the history consists of. */
  records(nowMs: number): HistoryRecord[] {
    const oldest = dayOf(nowMs) - rememberedDays;
    const lives = ({ backups, days, expectedSinceMs }: Pair): boolean =>
      expectedSinceMs !== undefined || backups.length > 0 || Object.keys(days).some((day) => Number(day) > oldest);
    return [
      ...[...this.pairs.values()].filter(lives).map((pair) => ({ pair })),
      ...[...this.running.values()].map((running) => ({ running })),
      ...this.last.map((session) => ({ session, isCounted: true })),
    ];
  }

  /** Forgets a caller's use of a store, unless it is newer than what is remembered by day. */
  forget(pair: Pair, nowMs: number): void {
    const days = Object.keys(pair.days);
    if (days.some((day) => Number(day) > dayOf(nowMs) - rememberedDays)) return;
    this.pairs.delete(keyOf(pair));
  }

  /** The callers and stores of which something is remembered. */
  all(): Iterable<Pair> {
    return this.pairs.values();
  }

  /** What is remembered of a caller's use of a store. */
  of(store: string, principal: string): Pair {
    const key = keyOf({ store, principal });
    let pair = this.pairs.get(key);
    if (pair === undefined) this.pairs.set(key, (pair = { store, principal, backups: [], days: {} }));
    return pair;
  }

  private count(session: Session): void {
    const { store, principal, kind, outcome, endMs, newBytes } = session;
    if (kind === 'read') return;
    const pair = this.of(store, principal);
    const today = dayOf(endMs);
    const day = (pair.days[today] ??= { completed: 0, failed: 0, bytes: 0 });
    day.bytes += newBytes;
    if (kind === 'backup') day[outcome]++;
    const recent = Object.entries(pair.days).filter(([each]) => Number(each) > today - rememberedDays);
    pair.days = Object.fromEntries(recent);
    if (kind !== 'backup') return;
    if (outcome === 'failed') pair.failure = session;
    else pair.backups = [...pair.backups, session].sort((a, b) => a.endMs - b.endMs).slice(-rememberedBackups);
  }
}

/** The last 30 days, the oldest first; the last one is today, in UTC. */
export function lastDays({ days }: Pick<Pair, 'days'>, nowMs: number): (Day & { readonly bytes: number })[] {
  const today = dayOf(nowMs);
  return Array.from(
    { length: rememberedDays },
    (_, i) => days[today - rememberedDays + 1 + i] ?? { completed: 0, failed: 0, bytes: 0 },
  );
}

function dayOf(ms: number): number {
  return Math.floor(ms / dayMs);
}

function sessionKey({ store, principal, address, startMs }: Running | Session): string {
  return `${startMs} ${principal} ${address} ${store}`;
}

/** Names a pair. */
export function keyOf({ store, principal }: Pick<Pair, 'store' | 'principal'>): string {
  return `${principal} ${store}`;
}
