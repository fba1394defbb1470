import { expect } from 'chai';
import { StoreError } from '../../src/core/errors.js';
import type { Store } from '../../src/core/store.js';
import type { SurveyedStore } from '../../src/watch/store-look.js';
import type { StoreReport } from '../../src/watch/store-report.js';
import { StoreSurvey, type StoreSurveyOptions } from '../../src/watch/store-survey.js';
import { MemoryStore } from '../support/memory-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { eventually, putAll } from '../support/store.js';

describe('StoreSurvey', () => {
  let reports: StoreReport[];
  let warnings: object[];
  let survey: StoreSurvey | undefined;

  beforeEach(() => {
    [reports, warnings] = [[], []];
  });

  afterEach(() => survey?.stop());

  function start(stores: Record<string, SurveyedStore>, options: Partial<StoreSurveyOptions> = {}): StoreSurvey {
    survey = new StoreSurvey({
      report: (report) => void reports.push(report),
      log: { warn: (fields) => void warnings.push(fields) },
      ...options,
    });
    survey.setStores(new Map(Object.entries(stores)));
    return survey;
  }

  function target(store: Store = memory(), more: Partial<SurveyedStore> = {}): SurveyedStore {
    return { store, freeBytes: async () => 5000, measuredBytes: undefined, ...more };
  }

  function memory(): MemoryStore {
    return new MemoryStore(Buffer.alloc(48), 1e6);
  }

  /** The first report that fits, of those that have come or will come. */
  function reported(fits: (report: StoreReport) => unknown, what: string): Promise<StoreReport> {
    return eventually(async () => reports.find(fits), what);
  }

  it('tells the locks, the free space, and soon how many objects there are and the newest state', async () => {
    const store = memory();
    const beforeMs = Date.now();
    await putAll(store, newRef('lock'), makeObject('lock', 100));
    await putAll(store, newRef('lock'), makeObject('lock', 100));
    await putAll(store, newRef('packfile'), makeObject('packfile', 700));
    await putAll(store, newRef('packfile'), makeObject('packfile', 600));
    await putAll(store, newRef('state'), makeObject('state', 300));
    start({ blue: target(store), red: target(memory(), { freeBytes: async () => undefined }) });
    const blue = await reported(({ store, size }) => store === 'blue' && size, 'blue is counted');
    const nowMs = Date.now();
    expect(blue).to.deep.include({ locks: 2, freeBytes: 5000, size: { packfiles: 2, states: 1, bytes: 1600 } });
    for (const ms of [blue.oldestLockMs, blue.newestStateMs, blue.timeMs]) expect(ms).to.be.within(beforeMs, nowMs);
    const red = await reported(({ store, size }) => store === 'red' && size, 'red is counted');
    const { timeMs, ...rest } = red;
    expect(timeMs).to.be.within(beforeMs, Date.now());
    expect(rest).to.deep.equal({ store: 'red', locks: 0, size: { packfiles: 0, states: 0, bytes: 0 } });
    expect(reports.filter(({ store, size }) => store === 'blue' && size === undefined)).to.have.length(1);
  });

  it('takes the size from what keeps count of it, and stats no packfile then', async () => {
    const store = memory();
    await putAll(store, newRef('packfile'), makeObject('packfile', 700));
    await putAll(store, newRef('state'), makeObject('state', 300));
    const { stat } = store;
    store.stat = (ref) => (ref.kind === 'packfile' ? Promise.reject(new Error('asked')) : stat.call(store, ref));
    start({ blue: target(store, { measuredBytes: async () => 1234 }) });
    const { size } = await reported((report) => report.size, 'it is counted');
    expect(size).to.deep.equal({ packfiles: 1, states: 1, bytes: 1234 });
  });

  it('says why a store can not be reached, and counts it when it can', async () => {
    const store = memory();
    const { config } = store;
    store.config = () => Promise.reject(new StoreError('unavailable', 'the disk is gone'));
    start({ blue: target(store), red: target() }, { everyMs: 5 });
    const { problem, size } = await reported(({ store }) => store === 'blue', 'blue is looked at');
    expect({ problem, size }).to.deep.equal({ problem: 'the disk is gone', size: undefined });
    await reported(({ store, size }) => store === 'red' && size, 'red is counted meanwhile');
    store.config = config;
    await reported((report) => report.store === 'blue' && report.size, 'blue is counted');
  });

  it('reports a store that does not answer, asks it once at a time, and goes on when it answers', async () => {
    const store = memory();
    const bytes = await store.config();
    const waiting: ((bytes: Uint8Array) => void)[] = [];
    store.config = () => new Promise((resolve) => waiting.push(resolve));
    start({ blue: target(store) }, { everyMs: 5, limitMs: 10 });
    await eventually(async () => reports.length >= 3, 'it is reported again and again');
    expect(reports[0]?.problem).to.equal('the store does not answer within 0.01 s');
    expect(waiting).to.have.length(1);
    store.config = async () => bytes;
    waiting[0]?.(bytes);
    await reported(({ size }) => size, 'it is counted');
  });

  it('warns once that a store can not be counted, tries again, and looks at it all the same', async () => {
    const store = memory();
    await putAll(store, newRef('packfile'), makeObject('packfile', 700));
    const { stat } = store;
    let failures = 0;
    store.stat = async () => {
      failures++;
      throw new StoreError('permission_denied', 'not allowed to read packfiles');
    };
    start({ blue: target(store) }, { everyMs: 5 });
    await eventually(async () => failures >= 2, 'it is tried again');
    expect(reports.every(({ problem, size }) => problem === undefined && size === undefined)).to.equal(true);
    expect(warnings).to.have.length(1);
    store.stat = stat;
    await reported(({ size }) => size, 'it is counted');
  });

  it('counts again in time', async () => {
    const store = memory();
    start({ blue: target(store) }, { everyMs: 5, countEveryMs: 5 });
    await reported(({ size }) => size?.packfiles === 0, 'it is counted');
    await putAll(store, newRef('packfile'), makeObject('packfile', 700));
    await reported(({ size }) => size?.packfiles === 1, 'it is counted again');
  });

  it('follows the stores of a reload: asks nothing more of one that is gone, and does not disturb those that stay', async () => {
    const [old, kept] = [memory(), memory()];
    let asked = 0;
    const begun: (() => void)[] = [];
    old.config = () => new Promise((resolve) => begun.push(() => resolve(Buffer.alloc(48))));
    old.list = () => {
      asked++;
      return memory().list('lock');
    };
    const stays = target(kept);
    const running = start({ blue: target(old), green: stays });
    await reported(({ store, size }) => store === 'green' && size, 'green is counted');
    running.setStores(
      new Map([
        ['blue', target(memory())],
        ['green', stays],
      ]),
    );
    begun[0]?.();
    await reported(({ store, size }) => store === 'blue' && size, 'the new blue is counted');
    expect(asked).to.equal(0);
    expect(reports.filter(({ store }) => store === 'green')).to.have.length(2);
    expect(reports.filter(({ store }) => store === 'blue')).to.have.length(2);
  });
});
