import { expect } from 'chai';
import { StoreError } from '../../src/core/errors.js';
import type { ObjectRef } from '../../src/core/object.js';
import { MirrorFile } from '../../src/server/mirror-file.js';
import { Mirroring, type MirroringOptions } from '../../src/server/mirroring.js';
import type { MirrorReport } from '../../src/watch/mirror-report.js';
import { silent } from '../support/gateway.js';
import { deferred } from '../support/deferred.js';
import { MemoryStore } from '../support/memory-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { eventually, getAll, listAll, putAll } from '../support/store.js';
import { tempFolder } from '../support/temp.js';

const times = { settleMs: 20, firstPauseMs: 20, maxPauseMs: 80 };
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
