import { expect } from 'chai';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DigestRecorder } from '../../../src/core/digests.js';
import { StoreError } from '../../../src/core/errors.js';
import { parseMac, type ObjectRef } from '../../../src/core/object.js';
import { VerificationFile, type VerificationState } from '../../../src/server/upkeep/verification-file.js';
import { Verifying, type VerifyingOptions } from '../../../src/server/upkeep/verifying.js';
import type { VerificationReport } from '../../../src/watch/verification-report.js';
import { silent } from '../../support/gateway.js';
import { MemoryStore } from '../../support/memory-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { eventually, putAll } from '../../support/store.js';
import { fixtureStore, tempFolder } from '../../support/temp.js';

const rate = 1e9;

describe('The verification of a store', () => {
  let config: Buffer;
  let store: MemoryStore;
  let mirror: MemoryStore;
  let reports: VerificationReport[];
  let stateDir: string;
  let verifying: Verifying;

  before(async () => {
    // Encrypted: what objects have in them can't be told from their names.
    config = await readFile(join(await fixtureStore('v1.1-encrypted/store-empty'), 'CONFIG'));
  });

  beforeEach(async () => {
    [store, mirror] = [new MemoryStore(config, 10_000), new MemoryStore(config, 10_000)];
    reports = [];
    stateDir = await tempFolder();
  });

  afterEach(() => verifying.stop());

  function start(changes: Partial<VerifyingOptions> = {}): void {
    verifying = new Verifying({
      name: 'blue',
      store,
      location: '/srv/blue',
      mirror: {
        store: mirror,
        location: '/srv/mirror of blue',
        direction: 'to',
        attempted: Promise.resolve(),
        problem: () => undefined,
        reopen: async () => undefined,
      },
      config: { everyMs: 3_600_000, bytesPerSecond: rate, againstMirror: true },
      file: new VerificationFile(stateDir, 'teams/blue', silent),
      report: (report) => void reports.push(report),
      log: silent,
      times: { gatherMs: 10, pauseMs: 10, firstPauseMs: 10, maxPauseMs: 20 },
      ...changes,
    });
    verifying.start();
  }

  /** An object that is whole in the mirror, and may be cut off in the store. */
  async function putOne(size = 200): Promise<ObjectRef> {
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 200);
    await putAll(mirror, ref, bytes);
    await putAll(store, ref, bytes.subarray(0, size));
    return ref;
  }

  const latest = (): VerificationReport | undefined => reports.at(-1);
  const told = (): string[] => reports.flatMap(({ found = [] }) => found);
  const completed = (after = 0) =>
    eventually(async () => (latest()?.completedMs ?? 0) > after && latest(), 'a pass is completed');

  it('says what it has read, and finds nothing wrong with what is whole', async () => {
    for (let i = 0; i < 3; i++) await putOne();
    start();
    expect(await completed()).to.deep.include({ checked: { objects: 3, bytes: 600 }, planned: 3, damaged: 0 });
    expect(told()).to.deep.equal([]);
  });

  it('names the object that is damaged, and the command that mends it', async () => {
    const ref = await putOne();
    await putOne();
    const get = store.get.bind(store);
    store.get = (of, range) =>
      of.mac === ref.mac ? Promise.reject(new StoreError('internal', 'input/output error')) : get(of, range);
    start();
    expect((await completed()).damaged).to.equal(1);
    expect(told()).to.have.length(1);
    expect(told()[0]).to.match(new RegExp(`^an object of blue is damaged: packfile ${ref.mac} .+\\. This mends it: `));
    expect(told()[0]).to.include(
      `\`kloset-gateway repair /srv/blue --from '/srv/mirror of blue' --mac ${ref.mac} --apply\``,
    );
  });

  it('begins the next pass when it is time, and counts no more what was mended before', async () => {
    const ref = await putOne(100);
    start({ config: { everyMs: 1, bytesPerSecond: rate, againstMirror: true } });
    const { completedMs } = await completed();
    await store.delete(ref);
    await putAll(store, ref, makeObject('packfile', 200));
    await eventually(async () => latest()?.damaged === 0, 'it is mended');
    expect(latest()?.completedMs).to.be.greaterThan(completedMs ?? Infinity);
  });

  it('notices soon that what was damaged is mended, also between passes', async () => {
    const ref = await putOne(100);
    start({ times: { gatherMs: 1, recheckEveryMs: 20 } });
    await completed();
    expect(latest()?.damaged).to.equal(1);
    await store.delete(ref);
    await putAll(store, ref, makeObject('packfile', 200));
    await eventually(async () => latest()?.damaged === 0, 'it is mended');
  });

  it('no longer counts what is damaged once clients have deleted it, and lists no objects to find that out', async () => {
    const ref = await putOne(100);
    start({ times: { gatherMs: 1, recheckEveryMs: 20 } });
    await completed();
    store.list = mirror.list = () => {
      throw new Error('nothing has to be listed');
    };
    await store.delete(ref);
    await eventually(async () => latest()?.damaged === 0, 'it counts no more');
  });

  it('tells of damage in the mirror before a pass ends, and counts it until it is mended', async () => {
    const ref = await putOne();
    // The last one can't be read at first.
    await putAll(store, { kind: 'packfile', mac: parseMac('f'.repeat(64)) }, makeObject('packfile', 200));
    const [get, getOther, { config: ownConfig }] = [store.get.bind(store), mirror.get.bind(mirror), store];
    let isAway = false;
    const away = () => Promise.reject(new StoreError('unavailable', 'no answer'));
    store.get = (of, range) => {
      isAway ||= of.mac.startsWith('ffff');
      return isAway ? away() : get(of, range);
    };
    store.config = () => (isAway ? away() : ownConfig.call(store));
    let isBroken = true;
    mirror.get = (of, range) =>
      isBroken && of.mac === ref.mac
        ? Promise.reject(new StoreError('internal', 'input/output error'))
        : getOther(of, range);
    start({ times: { gatherMs: 1, pauseMs: 1, firstPauseMs: 10, maxPauseMs: 10, recheckEveryMs: 20 } });
    await eventually(async () => told().length > 0, 'it is told');
    expect(told()[0]).to.match(new RegExp(`^an object in the mirror of blue is damaged: packfile ${ref.mac} `));
    expect(latest()).to.include({ damaged: 1 }).and.not.have.property('completedMs');
    [store.get, store.config] = [get, ownConfig.bind(store)];
    await completed();
    expect(latest()?.damaged).to.equal(1);
    isBroken = false;
    await eventually(async () => latest()?.damaged === 0, 'it is mended');
    expect(told()).to.have.length(1);
  });

  it('tells of a CONFIG that differs before a pass ends, once', async () => {
    await putOne();
    const other = Buffer.from(config);
    other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
    mirror.config = async () => other;
    let isRead = false;
    const get = store.get.bind(store);
    store.get = (of, range) => {
      expect(told()).to.deep.equal(['the CONFIG of blue differs from that of the other copy']);
      isRead = true;
      return get(of, range);
    };
    start();
    await completed();
    expect(isRead).to.equal(true);
    expect(told()).to.have.length(1);
  });

  it('begins anew where what was kept is no state, and does not wait for a time that a wrong clock had set', async () => {
    const path = join(stateDir, 'verify', 'teams%2Fblue.json');
    await mkdir(dirname(path));
    await writeFile(path, '{"location":"/srv/blue"}');
    await putOne();
    start();
    await completed();
    await verifying.stop();
    const state = JSON.parse(await readFile(path, 'utf8')) as VerificationState;
    const futureMs = Date.now() + 1e9;
    await writeFile(path, JSON.stringify({ ...state, beganMs: futureMs, completedMs: futureMs }));
    reports = [];
    start({ config: { everyMs: 50, bytesPerSecond: rate, againstMirror: true } });
    await eventually(async () => latest()?.planned !== undefined, 'the next pass');
  });

  it('goes on where it was after a restart, and remembers what is damaged', async () => {
    for (let i = 0; i < 4; i++) await putOne(i === 0 ? 100 : 200);
    // The first object that is read after two others never comes.
    const get = store.get.bind(store);
    let reads = 0;
    store.get = async (of, range) =>
      ++reads > 2 ? Promise.reject(new StoreError('unavailable', 'no answer')) : get(of, range);
    const { config: ownConfig } = store;
    store.config = async () =>
      reads > 2 ? Promise.reject(new StoreError('unavailable', 'no answer')) : ownConfig.call(store);
    start();
    await eventually(async () => latest()?.problem !== undefined, 'it can not go on');
    await verifying.stop();
    const left = new Set<string>();
    store.get = async (of, range) => {
      left.add(of.mac);
      return get(of, range);
    };
    store.config = ownConfig.bind(store);
    reports = [];
    start();
    const { checked, damaged } = await completed();
    expect({ checked: checked.objects, damaged }).to.deep.equal({ checked: 4, damaged: 1 });
    expect(left.size, 'objects that were read after the restart').to.equal(2);
    await verifying.stop();
    reports = [];
    start();
    await eventually(async () => latest(), 'a report');
    // The first one, before anything is read.
    expect(reports[0]).to.deep.include({ damaged: 1, checked });
    expect(reports[0]?.completedMs).to.not.equal(undefined);
  });

  it('records digests where that is set: of what is whole, compared with the mirror', async () => {
    const recorded: string[] = [];
    let closed = 0;
    const newRecorder = (): DigestRecorder => ({
      record: async ({ mac }) => void recorded.push(mac),
      recordDelete: async () => undefined,
      close: async () => void closed++,
    });
    const { mac } = await putOne();
    await putOne(100);
    start({ newRecorder });
    await completed();
    expect(recorded).to.deep.equal([mac]);
    expect(closed).to.equal(1);
    await verifying.stop();
    mirror.config = () => Promise.reject(new StoreError('unavailable', 'no answer'));
    [reports, stateDir] = [[], await tempFolder()];
    start({ newRecorder, file: new VerificationFile(stateDir, 'teams/blue', silent) });
    await completed();
    expect(recorded).to.deep.equal([mac]);
  });

  it('does without a mirror that can not be reached, and says so', async () => {
    await putOne();
    mirror.config = () => Promise.reject(new StoreError('unavailable', 'no answer'));
    start();
    expect((await completed()).checked.objects).to.equal(1);
    expect(latest()?.problem).to.equal('the mirror is left out: no answer');
  });

  it('goes on at once without a mirror that fails during a pass, and says that it is the mirror', async () => {
    for (let i = 0; i < 6; i++) await putOne();
    const get = mirror.get.bind(mirror);
    let reads = 0;
    mirror.get = (of, range) =>
      ++reads > 2 ? Promise.reject(new StoreError('unauthenticated', 'wrong token')) : get(of, range);
    start({ times: { firstPauseMs: 1e6 } });
    expect(await completed()).to.deep.include({ checked: { objects: 6, bytes: 1200 }, damaged: 0 });
    expect(latest()?.problem).to.equal('the mirror is left out: wrong token');
    expect(reads).to.be.below(6);
  });

  it('does without the mirror of another store', async () => {
    await putOne();
    mirror.config = async () => readFile(join(await fixtureStore('v1.1-plaintext/store-empty'), 'CONFIG'));
    start();
    await completed();
    expect(latest()?.problem).to.match(/^the mirror is left out: the two are not copies of one store/);
  });

  it('tells of what is new at the end of a pass, and of what was told before only after the pause', async () => {
    const ref = await putOne(100);
    const config = { everyMs: 1, bytesPerSecond: rate, againstMirror: true };
    start({ config, times: { gatherMs: 5, pauseMs: 3_600_000 } });
    const { completedMs } = await completed();
    await completed(completedMs);
    expect(told()).to.have.length(1);
    const other = await putOne(100);
    await eventually(async () => told().length > 1, 'the other one is told');
    expect(told()[1]).to.include(other.mac).and.not.include(ref.mac);
    await completed(Date.now());
    expect(told()).to.have.length(2);
  });
});
