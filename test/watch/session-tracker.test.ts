import { expect } from 'chai';
import type { AuditEntry } from '../../src/core/audit.js';
import type { ObjectKind } from '../../src/core/object.js';
import type { Session } from '../../src/watch/session.js';
import { SessionTracker } from '../../src/watch/session-tracker.js';

const minute = 60_000;
const startMs = Date.parse('2026-11-01T02:00:00Z');

/** A client, as its operations look like in the gateway. */
class Client {
  constructor(
    private readonly tracker: SessionTracker,
    private readonly clock: { ms: number },
    private readonly about: Partial<AuditEntry> = {},
  ) {}

  put(kind: ObjectKind, mac: string, more: Partial<AuditEntry> = {}): void {
    this.record('put', kind, mac, { outcome: kind === 'lock' ? 'stored' : 'created', bytes: 100, ...more });
  }

  delete(kind: ObjectKind, mac: string, more: Partial<AuditEntry> = {}): void {
    this.record('delete', kind, mac, { outcome: 'deleted', ...more });
  }

  read(bytes: number): void {
    const { principal = 'web-1', store = 'blue', address = '192.0.2.1' } = this.about;
    this.tracker.read({ principal, store, address, reads: 1, bytes, lastMs: this.clock.ms });
  }

  private record(operation: 'put' | 'delete', kind: ObjectKind, mac: string, more: Partial<AuditEntry>): void {
    this.tracker.record({
      time: new Date(this.clock.ms).toISOString(),
      principal: 'web-1',
      address: '192.0.2.1',
      listener: 'lan',
      store: 'blue',
      outcome: 'created',
      ...this.about,
      operation,
      kind,
      mac,
      ...more,
    });
    this.clock.ms += 1000;
  }
}

describe('SessionTracker', () => {
  let clock: { ms: number };
  let ended: Session[];
  let begun: string[];
  let tracker: SessionTracker;
  let client: Client;

  beforeEach(() => {
    clock = { ms: startMs };
    ended = [];
    begun = [];
    tracker = new SessionTracker({
      backupBegins: ({ principal, store }) => void begun.push(`${principal} ${store}`),
      locked: () => undefined,
      ended: (session) => void ended.push(session),
    });
    client = new Client(tracker, clock);
  });

  const kinds = (): string[] => ended.map(({ kind, outcome }) => `${kind} ${outcome}`);

  it('tells a backup with its new objects, bytes and duration, from its lock to the end of the lock', () => {
    client.read(700);
    clock.ms += 5000;
    client.put('lock', 'a');
    client.put('packfile', 'p1', { bytes: 1000 });
    client.put('packfile', 'p2', { outcome: 'unchanged', bytes: 500 });
    client.put('state', 'a', { bytes: 50 });
    client.delete('lock', 'a');
    expect(begun).to.deep.equal(['web-1 blue']);
    expect(ended).to.deep.equal([
      {
        store: 'blue',
        principal: 'web-1',
        address: '192.0.2.1',
        kind: 'backup',
        outcome: 'completed',
        startMs: startMs + 5000,
        endMs: startMs + 9000,
        newObjects: 2,
        newBytes: 1050,
        deletedObjects: 0,
        checkpoints: 0,
        readBytes: 700,
      },
    ]);
    expect(tracker.open(clock.ms)).to.deep.equal([]);
  });

  it('takes states in the course of a long backup for checkpoints, and goes on', () => {
    client.put('lock', 'a');
    for (const state of ['a', 'b', 'c']) {
      for (let i = 0; i < 3; i++) {
        client.put('packfile', `${state}${i}`);
        clock.ms += 9 * minute;
        client.put('lock', 'a');
      }
      client.put('state', state);
      expect(ended).to.deep.equal([]);
    }
    client.delete('lock', 'a');
    expect(kinds()).to.deep.equal(['backup completed']);
    expect(ended[0]).to.include({ checkpoints: 2, newObjects: 12 });
  });

  it('takes a backup that ends after packfiles without a state for failed', () => {
    client.put('lock', 'a');
    client.put('packfile', 'p1');
    client.put('state', 'a');
    client.put('packfile', 'p2');
    client.put('packfile', 'p3', { outcome: 'failed', code: 'no_space', reason: 'the disk is full' });
    client.delete('lock', 'a');
    expect(kinds()).to.deep.equal(['backup failed']);
    expect(ended[0]).to.include({ reason: 'put of a packfile: the disk is full', checkpoints: 1, newObjects: 3 });
  });

  it('takes a backup for failed when its client is gone: its lock was not refreshed for ten minutes', () => {
    client.put('lock', 'a');
    client.put('state', 'a');
    client.put('packfile', 'p1');
    tracker.tick(clock.ms + 9 * minute);
    expect(ended).to.deep.equal([]);
    tracker.tick(clock.ms + 11 * minute);
    expect(kinds()).to.deep.equal(['backup failed']);
    expect(ended[0]).to.include({
      reason: 'its client is gone: its lock was never removed',
      checkpoints: 1,
      endMs: startMs + 2000,
    });
  });

  it('takes a backup for completed whose lock was never removed, but whose last object is its state', () => {
    client.put('lock', 'a');
    client.put('packfile', 'p1');
    client.put('state', 'a');
    tracker.tick(clock.ms + 11 * minute);
    expect(kinds()).to.deep.equal(['backup completed']);
  });

  it('ends a backup that has its state six minutes after its lock was last refreshed, at the time of its last write', () => {
    client.put('lock', 'a');
    client.put('packfile', 'p1');
    client.put('state', 'a');
    // A check from the same machine.
    clock.ms += 5 * minute;
    client.read(1000);
    tracker.tick(clock.ms + 30_000);
    expect(ended).to.deep.equal([]);
    clock.ms += minute + 1000;
    client.read(1000);
    tracker.tick(clock.ms);
    expect(kinds()).to.deep.equal(['backup completed']);
    expect(ended[0]).to.include({ endMs: startMs + 2000 });
  });

  it('goes on after a restart with the sessions that had not ended', () => {
    client.put('lock', 'a');
    client.put('packfile', 'p1', { bytes: 1000 });
    const kept = tracker.keep();
    const ends: Session[] = [];
    tracker = new SessionTracker({
      backupBegins: () => undefined,
      locked: () => undefined,
      ended: (session) => void ends.push(session),
    });
    tracker.restore(JSON.parse(JSON.stringify(kept)) as typeof kept);
    client = new Client(tracker, clock);
    client.put('state', 'a', { bytes: 1 });
    client.delete('lock', 'a');
    expect(ends).to.have.length(1);
    expect(ends[0]).to.include({ kind: 'backup', outcome: 'completed', newBytes: 1001, startMs });
  });

  it('does not take the removal of a snapshot for the end of a backup that was killed', () => {
    client.put('lock', 'a');
    client.put('packfile', 'p1');
    client.put('state', 'removal');
    tracker.tick(clock.ms + 11 * minute);
    expect(kinds()).to.deep.equal(['backup failed']);
  });

  it('takes a session for a backup whose first checkpoint comes before a packfile is full', () => {
    client.put('lock', 'a');
    client.put('state', 'a');
    expect(tracker.open(clock.ms)[0]).to.include({ kind: 'backup' });
    client.put('packfile', 'p1');
    client.put('state', 'b');
    client.delete('lock', 'a');
    expect(kinds()).to.deep.equal(['backup completed']);
    expect(ended[0]).to.include({ checkpoints: 1 });
  });

  it('takes a lock under which nothing is put for a session that reads', () => {
    client.put('lock', 'a');
    client.delete('lock', 'a');
    client.put('lock', 'b');
    tracker.tick(clock.ms + 11 * minute);
    expect(kinds()).to.deep.equal(['read completed', 'read completed']);
  });

  it('takes a backup for failed when the next one removes its stale lock', () => {
    client.put('lock', 'a');
    client.put('packfile', 'p1');
    clock.ms += 30 * minute;
    client.put('lock', 'b');
    client.delete('lock', 'a');
    expect(kinds()).to.deep.equal(['backup failed']);
    client.put('packfile', 'p2');
    client.put('state', 'b');
    client.delete('lock', 'b');
    expect(kinds()).to.deep.equal(['backup failed', 'backup completed']);
  });

  it('goes on with a backup that lost an upload and did it again', () => {
    client.put('lock', 'a');
    client.put('packfile', 'p1', { outcome: 'failed', code: 'canceled', reason: 'the request was canceled' });
    client.put('packfile', 'p1');
    client.put('state', 'a');
    client.delete('lock', 'a');
    expect(kinds()).to.deep.equal(['backup completed']);
  });

  it('takes a backup that may not put its lock for failed, but not one of anybody', () => {
    const refused = { outcome: 'refused', code: 'permission_denied', reason: 'not allowed to put locks' } as const;
    client.put('lock', 'a', refused);
    new Client(tracker, clock, { principal: 'anonymous' }).put('lock', 'a', refused);
    expect(kinds()).to.deep.equal(['backup failed']);
    expect(ended[0]).to.include({ principal: 'web-1', reason: 'put of a lock: not allowed to put locks' });
    expect(tracker.open(clock.ms)).to.deep.equal([]);
  });

  it('tells a removal: states without a lock and without packfiles, one for each snapshot', () => {
    client.put('state', 's', { bytes: 300 });
    client.put('state', 't', { bytes: 300 });
    client.put('lock', 'a');
    client.delete('lock', 'a');
    tracker.tick(clock.ms + minute);
    expect(kinds()).to.deep.equal(['read completed', 'removal completed']);
    expect(ended.at(-1)).to.include({ newObjects: 2 });
    client.put('state', 's', { outcome: 'refused', reason: 'not allowed' });
    tracker.tick(clock.ms + 2 * minute);
    expect(kinds().at(-1)).to.equal('removal failed');
  });

  it('tells a removal also where the same caller reads on, or tries to delete', () => {
    client.put('state', 's');
    client.delete('packfile', 'p', { outcome: 'refused', reason: 'not allowed' });
    for (let i = 0; i < 4; i++) {
      clock.ms += 25_000;
      client.read(10);
      tracker.tick(clock.ms);
    }
    expect(kinds()).to.deep.equal(['removal completed']);
  });

  it('tells a backup of a client that takes no locks', () => {
    client.put('packfile', 'p1');
    client.put('state', 's');
    expect(kinds()).to.deep.equal(['backup completed']);
  });

  it('tells maintenance: deletes, or states under a lock without packfiles', () => {
    client.put('lock', 'm');
    client.put('state', 's');
    client.delete('packfile', 'p1');
    client.delete('packfile', 'p2');
    client.delete('state', 's');
    client.delete('lock', 'm');
    client.put('lock', 'n');
    client.put('state', 't');
    client.delete('lock', 'n');
    // As plakar 1.0 does.
    client.put('lock', 'o');
    client.put('state', 'o');
    client.delete('lock', 'o');
    expect(kinds()).to.deep.equal(Array.from({ length: 3 }, () => 'maintenance completed'));
    expect(ended.map(({ deletedObjects }) => deletedObjects)).to.deep.equal([3, 0, 0]);
  });

  it('takes deletes that were all refused for failed maintenance', () => {
    client.delete('packfile', 'p1', { outcome: 'refused', reason: 'not allowed' });
    tracker.tick(clock.ms + 2 * minute);
    expect(kinds()).to.deep.equal(['maintenance failed']);
  });

  it('ends a session that only reads a minute after the last read', () => {
    client.read(100);
    clock.ms += 50_000;
    client.read(200);
    tracker.tick(clock.ms + 59_000);
    expect(ended).to.deep.equal([]);
    tracker.tick(clock.ms + 61_000);
    expect(kinds()).to.deep.equal(['read completed']);
    expect(ended[0]).to.include({ readBytes: 300, startMs, endMs: startMs + 50_000 });
  });

  it('keeps machines apart, stores, and two locks of one principal', () => {
    const others = [
      client,
      new Client(tracker, clock, { principal: 'web-2' }),
      new Client(tracker, clock, { store: 'red' }),
      new Client(tracker, clock, { address: '192.0.2.2' }),
    ];
    for (const [i, each] of others.entries()) each.put('lock', `lock${i}`);
    for (const [i, each] of others.entries()) each.put('packfile', `p${i}`, { bytes: 1000 * (i + 1) });
    for (const [i, each] of others.entries()) each.put('state', `lock${i}`, { bytes: 1 });
    expect(tracker.open(clock.ms)).to.have.length(4);
    for (const [i, each] of others.entries()) each.delete('lock', `lock${i}`);
    expect(kinds()).to.deep.equal(Array.from({ length: 4 }, () => 'backup completed'));
    expect(ended.map(({ newBytes }) => newBytes)).to.deep.equal([1001, 2001, 3001, 4001]);
  });

  it('tells the end of a backup whose beginning it has not seen', () => {
    client.put('packfile', 'p1');
    client.put('lock', 'a');
    client.put('packfile', 'p2');
    client.put('state', 'a');
    client.delete('lock', 'a');
    expect(kinds()).to.deep.equal(['backup completed']);
    expect(ended[0]).to.include({ newObjects: 3 });
  });

  it('shows sessions that run, with what they look like and their rate over the last minute', () => {
    client.put('lock', 'a');
    client.put('packfile', 'p1', { bytes: 60_000 });
    clock.ms = startMs + minute;
    const [open, ...others] = tracker.open(clock.ms);
    expect(others).to.deep.equal([]);
    expect(open).to.include({ kind: 'backup', startMs, lastMs: startMs + 1000, bytesPerSecond: 1000 });
  });
});
