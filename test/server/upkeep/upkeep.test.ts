import { expect } from 'chai';
import type { Settings } from '../../../src/config/config.js';
import type { StoreConfig } from '../../../src/config/types.js';
import type { OpenedStore } from '../../../src/server/stores/store-opener.js';
import { StorePool } from '../../../src/server/stores/store-pool.js';
import { Upkeep } from '../../../src/server/upkeep/upkeep.js';
import type { MirrorReport } from '../../../src/watch/mirror-report.js';
import type { VerificationReport } from '../../../src/watch/verification-report.js';
import { host, silent, testConfig } from '../../support/gateway.js';
import { deferred } from '../../support/deferred.js';
import { MemoryStore } from '../../support/memory-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { eventually, putAll } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';

describe('The upkeep of stores', () => {
  let mirrors: MirrorReport[];
  let verifications: VerificationReport[];
  let upkeep: Upkeep;
  let pool: StorePool;

  beforeEach(() => {
    [mirrors, verifications] = [[], []];
    const user = { name: 'operator', home: '/nonexistent', env: {} };
    pool = new StorePool({ host, user, log: silent, sweeps: true });
    upkeep = new Upkeep({
      log: silent,
      reportMirror: (report) => void mirrors.push(report),
      reportVerification: (report) => void verifications.push(report),
    });
  });

  afterEach(() => upkeep.stop());

  it('goes on over a reload that changes nothing of it, begins anew where its settings change, and ends with them', async () => {
    const [location, to] = [await emptyStore(), await emptyStore()];
    const apply = async (settings: object): Promise<() => Promise<void>> => {
      const stores = { blue: { location, ...settings } } as NonNullable<Settings['stores']>;
      const config = testConfig({ 'min-free-space': 0, stores });
      const acquired = await pool.acquire(config);
      upkeep.setStores(acquired.stores, config);
      return () => acquired.release(0);
    };
    const runs = (): number => mirrors.filter(({ outcome }) => outcome === 'completed').length;
    const releases = [await apply({ mirror: { to }, verify: {} })];
    await eventually(async () => runs() === 1, 'it is mirrored');
    await eventually(async () => verifications.at(-1)?.completedMs !== undefined, 'it is verified');
    releases.push(await apply({ mirror: { to }, verify: {} }));
    releases.push(await apply({ mirror: { to, lag: '3h' }, verify: {} }));
    await eventually(async () => runs() === 2, 'it is mirrored anew');
    releases.push(await apply({}));
    await upkeep.stop();
    expect(runs()).to.equal(2);
    for (const release of releases) await release();
  });

  it('does one thing at a time for a store over reloads that follow one another soon, and waits for its end', async () => {
    const [store, mirror] = [new MemoryStore(Buffer.alloc(48), 10_000), new MemoryStore(Buffer.alloc(48), 10_000)];
    await putAll(store, newRef('packfile'), makeObject('packfile', 100));
    const [begun, go] = [deferred(), deferred()];
    let [running, most] = [0, 0];
    mirror.put = async () => {
      most = Math.max(most, ++running);
      begun.resolve();
      await go.promise;
      running--;
      return { created: true };
    };
    const other = {
      store: mirror,
      location: '/m',
      direction: 'to',
      attempted: Promise.resolve(),
      problem: () => undefined,
    };
    const opened = { own: store, location: '/s', mirror: other } as unknown as OpenedStore;
    const apply = (lagMs: number): void => {
      const config = { mirror: { everyMs: 1e6, lagMs } } as unknown as StoreConfig;
      upkeep.setStores(new Map([['blue', opened]]), { stores: new Map([['blue', config]]), stateDir: undefined });
    };
    apply(1);
    await begun.promise;
    apply(2);
    apply(3);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const stopped = upkeep.stop();
    expect(await Promise.race([stopped, Promise.resolve('not yet')])).to.equal('not yet');
    go.resolve();
    await stopped;
    expect({ running, most }).to.deep.equal({ running: 0, most: 1 });
  });
});
