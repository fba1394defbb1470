import { expect } from 'chai';
import { StoreError } from '../../../src/core/errors.js';
import type { ObjectRef } from '../../../src/core/object.js';
import { MirrorFile } from '../../../src/server/upkeep/mirror-file.js';
import { Mirroring, type MirroringOptions } from '../../../src/server/upkeep/mirroring.js';
import type { Clock } from '../../../src/server/upkeep/repeated-runs.js';
import { MirrorHealth } from '../../../src/watch/mirror-health.js';
import type { MirrorReport } from '../../../src/watch/mirror-report.js';
import { configOf } from '../../support/config.js';
import { silent } from '../../support/gateway.js';
import { deferred } from '../../support/deferred.js';
import { MemoryStore } from '../../support/memory-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { eventually, getAll, listAll, putAll } from '../../support/store.js';
import { tempFolder } from '../../support/temp.js';

const times = { settleMs: 20, firstPauseMs: 20, maxPauseMs: 80 };
const minuteMs = 60_000;
const newState = { store: 'blue', objects: 2, bytes: 300, hasState: true };

describe('The mirroring of a store', () => {
  let here: MemoryStore;
  let there: MemoryStore;
  let reports: MirrorReport[];
  let logged: string[];
  /** What the log lines have beside their messages. */
  let fields: object[];
  let mirroring: Mirroring;
  let reopened: number;

  beforeEach(() => {
    [here, there] = [new MemoryStore(Buffer.alloc(48), 10_000), new MemoryStore(Buffer.alloc(48), 10_000)];
    [reports, logged, fields, reopened] = [[], [], [], 0];
  });

  afterEach(() => mirroring.stop());

  function start(changes: Partial<MirroringOptions> = {}, direction: 'to' | 'from' = 'to'): void {
    const log = (level: string) => (about: object, message: string) => {
      fields.push(about);
      logged.push(`${level}: ${message}`);
    };
    mirroring = new Mirroring({
      name: 'blue',
      store: here,
      location: '/srv/blue',
      mirror: {
        store: there,
        location: '/srv/mirror',
        direction,
        attempted: Promise.resolve(),
        problem: () => undefined,
        reopen: async () => void reopened++,
      },
      config: { everyMs: 3_600_000, bytesPerSecond: undefined },
      file: new MirrorFile(undefined, 'blue', silent),
      report: (report) => void reports.push(report),
      log: { info: log('info'), warn: log('warn'), error: log('error') },
      times,
      ...changes,
    });
    mirroring.start();
  }

  async function putOne(store: MemoryStore, kind: ObjectRef['kind'] = 'packfile'): Promise<ObjectRef> {
    const ref = newRef(kind);
    await putAll(store, ref, makeObject(kind, 150));
    return ref;
  }

  const ended = (outcome: 'completed' | 'failed', count = 1) =>
    eventually(async () => {
      const found = reports.filter((report) => report.outcome === outcome);
      return found.length >= count && found.at(-1);
    }, `run ${count} ends as ${outcome}`);

  it('copies what the mirror lacks at the start, and says as of when the mirror is complete', async () => {
    const ref = await putOne(here);
    const beganMs = Date.now();
    start();
    const report = await ended('completed');
    expect(await getAll(there, ref)).to.deep.equal(await getAll(here, ref));
    expect(report.missing).to.deep.equal({ objects: 0, bytes: 0 });
    expect(report.completeAsOfMs).to.be.within(beganMs, Date.now());
    expect(report.lastSuccessMs).to.be.within(report.completeAsOfMs ?? Infinity, Date.now());
    expect(logged).to.deep.equal(['info: mirrored 1 objects (150 B)']);
  });

  it('copies in the other direction where the store itself is the mirror', async () => {
    const ref = await putOne(there);
    start({}, 'from');
    await ended('completed');
    expect(await getAll(here, ref)).to.deep.equal(await getAll(there, ref));
  });

  it('runs again soon after a state has arrived, also one that arrives during a run, and periodically', async () => {
    start();
    await ended('completed');
    const ref = await putOne(here, 'state');
    mirroring.added({ ...newState, hasState: false });
    mirroring.added(newState);
    await ended('completed', 2);
    await getAll(there, ref);
    const [begun, go] = [deferred(), deferred()];
    const config = there.config.bind(there);
    there.config = async () => {
      begun.resolve();
      await go.promise;
      return config();
    };
    mirroring.added(newState);
    await begun.promise;
    mirroring.added(newState);
    go.resolve();
    await ended('completed', 4);
    await mirroring.stop();
    start({ config: { everyMs: 30, bytesPerSecond: undefined } });
    await ended('completed', 7);
  });

  it('goes on where it was when a mirror that could not be reached is there again, and tells why it waits', async () => {
    const [state, packfile] = [await putOne(here, 'state'), await putOne(here)];
    const put = there.put.bind(there);
    const broken = () => Promise.reject(new StoreError('no_space', 'the disk is full'));
    there.put = broken;
    start();
    const report = await ended('failed', 3);
    expect(report.problem).to.equal('/srv/mirror: the disk is full');
    expect(report.completeAsOfMs).to.equal(undefined);
    expect(report.missing).to.deep.equal({ objects: 2, bytes: 300 });
    there.put = put;
    expect((await ended('completed')).problem).to.equal(undefined);
    for (const ref of [state, packfile]) await getAll(there, ref);
    expect(logged).to.deep.equal([
      "warn: the store can't be mirrored: /srv/mirror: the disk is full",
      'info: mirrored 2 objects (300 B)',
      'info: the mirror is complete again',
    ]);
  });

  it('opens the mirror anew where the token is not taken, which may have been replaced', async () => {
    there.config = () => Promise.reject(new StoreError('unauthenticated', 'the token has expired'));
    start();
    await eventually(async () => reopened > 0, 'it is opened anew');
    expect((await ended('failed')).problem).to.equal('the token has expired');
  });

  it('logs a configuration that is wrong without a stack trace', async () => {
    const other = new MemoryStore(Buffer.alloc(48, 1), 10_000);
    there.config = other.config.bind(other);
    start();
    await ended('failed');
    expect(logged[0]).to.match(/^warn: the store can't be mirrored: .*CONFIGs differ/);
    expect(fields[0]).to.deep.equal({ store: 'blue' });
  });

  it('knows after a restart as of when the mirror is complete, unless it is another mirror', async () => {
    const stateDir = await tempFolder();
    const file = () => ({ file: new MirrorFile(stateDir, 'teams/blue', silent) });
    start(file());
    const { completeAsOfMs, lastSuccessMs } = await ended('completed');
    await mirroring.stop();
    there.config = () => Promise.reject(new StoreError('permission_denied', 'not allowed'));
    reports = [];
    start(file());
    await ended('failed');
    expect(reports[0]).to.deep.equal({ store: 'blue', completeAsOfMs, lastSuccessMs });
    expect(reports.at(-1)).to.include({ completeAsOfMs, lastSuccessMs });
    await mirroring.stop();
    reports = [];
    start({ ...file(), location: '/srv/other' });
    expect(await ended('failed')).to.not.have.property('completeAsOfMs');
  });

  it('knows after a restart since when there is a mirror that was never complete, until it is', async () => {
    const stateDir = await tempFolder();
    const file = () => ({ file: new MirrorFile(stateDir, 'teams/blue', silent) });
    const config = there.config.bind(there);
    there.config = () => Promise.reject(new StoreError('permission_denied', 'not allowed'));
    const beforeMs = Date.now();
    start(file());
    await ended('failed');
    await mirroring.stop();
    const afterMs = Date.now();
    for (let restart = 0; restart < 2; restart++) {
      reports = [];
      start(file());
      expect((await ended('failed')).beganMs).to.be.within(beforeMs, afterMs);
      await mirroring.stop();
    }
    there.config = config;
    start(file());
    expect(await ended('completed')).to.not.have.property('beganMs');
    await mirroring.stop();
    reports = [];
    start(file());
    await ended('completed');
    expect(reports[0]).to.have.keys('store', 'completeAsOfMs', 'lastSuccessMs');
  });

  it('names an object that the two copies have with other bytes, and is not behind for it', async () => {
    const ref = await putOne(here);
    const put = there.put.bind(there);
    there.put = async (of, body) => {
      await put(
        of,
        (async function* () {
          yield makeObject('packfile', 150, 'another');
        })(),
      );
      return put(of, body);
    };
    start();
    const report = await ended('completed');
    expect(report.completeAsOfMs).to.be.a('number');
    expect(report.damaged?.[0]).to.match(new RegExp(`^packfile ${ref.mac}: `));
    expect(report.problem).to.equal(report.damaged?.[0]);
  });

  it('is not behind for an object that can not be read, which it names, once it was tried again soon', async () => {
    const [damaged, ref] = [await putOne(here), await putOne(here)];
    const get = here.get.bind(here);
    here.get = async (of, range) =>
      of.mac === damaged.mac ? Promise.reject(new StoreError('internal', 'input/output error')) : get(of, range);
    start();
    expect((await ended('failed')).completeAsOfMs).to.equal(undefined);
    const report = await ended('completed');
    await getAll(there, ref);
    expect(report.completeAsOfMs).to.be.a('number');
    expect(report.damaged?.[0]).to.match(new RegExp(`^packfile ${damaged.mac}: `));
    expect(report.problem).to.equal(report.damaged?.[0]);
    expect(report.missing?.objects).to.equal(1);
  });

  it('tries again in longer and longer pauses, whatever arrives, while the mirror is away for an hour, and is caught up soon after', async () => {
    const clock = new TimerClock();
    const mirror = { to: '/srv/mirror', every: '20m', lag: '30m' };
    const { stores } = configOf({ stores: { blue: { location: '/srv/blue', mirror } } });
    const health = new MirrorHealth();
    health.configure(stores, clock.now());
    const events: string[] = [];
    const tell = () => events.push(...health.changes(clock.now()).map(({ event }) => event));
    const report = (each: MirrorReport): void => {
      reports.push(each);
      health.take(each);
      tell();
    };
    await putOne(here);
    const config = { everyMs: 20 * minuteMs, bytesPerSecond: undefined };
    start({ clock, config, report, times: { retryMs: 1 } });
    await clock.pass(minuteMs);
    expect((await ended('completed')).missing).to.deep.equal({ objects: 0, bytes: 0 });
    const awayMs = clock.now();
    const runsMs: number[] = [];
    const answer = there.config.bind(there);
    there.config = () => {
      if (runsMs.at(-1) !== clock.now()) runsMs.push(clock.now());
      return Promise.reject(new StoreError('unavailable', 'no answer'));
    };
    /** A backup each minute. */
    const minute = async (): Promise<void> => {
      for (const kind of ['packfile', 'state'] as const) await putOne(here, kind);
      mirroring.added(newState);
      await clock.pass(minuteMs);
      tell();
    };
    for (let i = 0; i < 60; i++) {
      await minute();
      const status = health.status('blue', clock.now());
      expect(status?.lagMs).to.be.within(clock.now() - awayMs, clock.now() - awayMs + minuteMs);
      expect(status).to.include({ isBehind: status !== undefined && status.lagMs > 30 * minuteMs });
    }
    const pausesMs = runsMs.slice(1).map((ms, i) => ms - (runsMs[i] ?? NaN));
    const doubling = [5, 10, 20, 40, 80, 160, 320, 600].map((seconds) => seconds * 1000);
    expect(pausesMs).to.deep.equal([...doubling, ...pausesMs.slice(8).map(() => 600_000)]);
    expect(pausesMs).to.have.length.within(10, 12);
    // As the last run has reported it.
    const { missingObjects, problem } = health.status('blue', clock.now()) ?? {};
    expect(missingObjects).to.be.within(100, 120);
    expect(problem).to.equal('no answer');
    expect(events).to.deep.equal(['mirror-behind']);

    there.config = answer;
    for (let i = 0; i < 10; i++) await minute();
    expect(events).to.deep.equal(['mirror-behind', 'mirror-caught-up']);
    // What arrived last has been copied since, too.
    await clock.pass(minuteMs);
    for (const kind of ['packfile', 'state'] as const)
      expect(await listAll(there, kind)).to.have.members(await listAll(here, kind));
    expect(health.status('blue', clock.now())).to.include({ isBehind: false, missingObjects: 0 });
    expect(reports.filter(({ outcome }) => outcome === 'failed')).to.have.length(runsMs.length);
  });

  it('breaks a run off when it is stopped, and reports no failure', async () => {
    for (let i = 0; i < 3; i++) await putOne(here);
    start({ config: { everyMs: 3_600_000, bytesPerSecond: 1 } });
    await eventually(async () => reports.some(({ missing }) => missing !== undefined), 'it copies');
    await mirroring.stop();
    expect(await listAll(there, 'packfile')).to.have.length.below(3);
    expect(reports.filter(({ outcome }) => outcome !== undefined)).to.deep.equal([]);
    expect(logged).to.deep.equal([]);
  });
});

/** A clock that goes on only when a test says so. */
class TimerClock implements Clock {
  private nowMs = Date.UTC(2030, 0, 1);
  private timer: { readonly atMs: number; readonly run: () => void } | undefined;

  now(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  setTimer(run: () => void, ms: number): () => void {
    const timer = { atMs: this.nowMs + ms, run };
    this.timer = timer;
    return () => {
      if (this.timer === timer) this.timer = undefined;
    };
  }

  /** Runs what is due within so many milliseconds, each to its end: it sets the next timer then. */
  async pass(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      const { atMs, run } = await eventually(async () => this.timer, 'a timer is set');
      if (atMs > endMs) break;
      this.timer = undefined;
      this.nowMs = Math.max(this.nowMs, atMs);
      run();
    }
    this.nowMs = endMs;
  }
}
