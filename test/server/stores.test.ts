import { expect } from 'chai';
import type { Config, Settings } from '../../src/config/config.js';
import type { Store } from '../../src/core/store.js';
import { StorePool, type AcquiredStores } from '../../src/server/stores.js';
import { host, silent, testConfig } from '../support/gateway.js';
import { makeObject, newRef } from '../support/objects.js';
import { eventually, expectFailure, listAll, putAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';

describe('StorePool', () => {
  let pool: StorePool;
  let blue: string;
  let green: string;

  beforeEach(async () => {
    pool = new StorePool({
      host,
      user: { name: 'operator', home: '/nonexistent', env: {} },
      log: silent,
      sweeps: true,
    });
    [blue, green] = [await emptyStore(), await emptyStore()];
  });

  function config(stores: Exclude<Settings['stores'], undefined>, changes: Settings = {}): Config {
    return testConfig({ stores, 'min-free-space': 0, ...changes });
  }

  function storeOf(acquired: AcquiredStores, name: string): Store {
    const open = acquired.stores.get(name);
    if (open === undefined) throw new Error(`no store ${name}`);
    return open.store;
  }

  it('keeps a store that two configurations have in common, until neither has it', async () => {
    const first = await pool.acquire(config({ blue: { location: blue }, green: { location: green } }));
    const second = await pool.acquire(config({ blue: { location: blue } }));
    expect([...second.stores.keys()]).to.deep.equal(['blue']);
    const store = storeOf(first, 'blue');
    expect(storeOf(second, 'blue')).to.equal(store);
    await first.release(0);
    expect(storeOf(await pool.acquire(config({ blue: { location: blue } })), 'blue')).to.equal(store);
    const green2 = await pool.acquire(config({ green: { location: green } }));
    expect(storeOf(green2, 'green')).to.not.equal(storeOf(first, 'green'));
  });

  it('keeps a store open during the grace period of a release', async () => {
    const own = config({ blue: { location: blue } });
    const first = await pool.acquire(own);
    const ended = first.release(50);
    const second = await pool.acquire(own);
    expect(storeOf(second, 'blue')).to.equal(storeOf(first, 'blue'));
    await second.release(0);
    expect(storeOf(await pool.acquire(own), 'blue')).to.equal(storeOf(first, 'blue'));
    await ended;
  });

  it('opens a store again if settings that it depends on change', async () => {
    const first = await pool.acquire(config({ blue: { location: blue } }));
    for (const changed of [
      config({ blue: { location: green } }),
      config({ blue: { location: blue, anonymous: 'append' } }),
      config({ blue: { location: blue } }, { durability: 'none' }),
      config({ blue: { location: blue } }, { 'max-object-size': '1MiB' }),
      config({ blue: { location: blue } }, { 'min-free-space': '1MiB' }),
      config({ blue: { location: blue, quota: '1GiB' } }),
    ]) {
      expect(storeOf(await pool.acquire(changed), 'blue')).to.not.equal(storeOf(first, 'blue'));
    }
    const same = [
      config({ blue: { location: blue } }, { 'max-requests': 3 }),
      config({ blue: { location: blue } }, { 'log-level': 'warn' }),
    ];
    for (const each of same) expect(storeOf(await pool.acquire(each), 'blue')).to.equal(storeOf(first, 'blue'));
  });

  it('fails as a whole if one store cannot be opened, and keeps none open', async () => {
    const bad = config({ blue: { location: blue }, bad: { location: '/nonexistent' } });
    const error: unknown = await pool.acquire(bad).catch((thrown: unknown) => thrown);
    expect(String(error)).to.include('/nonexistent is not a Kloset store');
    // Nothing is left of the failure for the next one.
    const acquired = await pool.acquire(config({ blue: { location: blue } }));
    expect(await listAll(storeOf(acquired, 'blue'), 'state')).to.deep.equal([]);
    const again: unknown = await pool.acquire(bad).catch((thrown: unknown) => thrown);
    expect(String(again)).to.include('/nonexistent is not a Kloset store');
    expect(await listAll(storeOf(acquired, 'blue'), 'state')).to.deep.equal([]);
  });

  it('counts the bytes in a store with a quota, also when the quota changes', async () => {
    const settings = { blue: { location: blue, anonymous: 'append' as const, quota: 1000 } };
    const acquired = await pool.acquire(config(settings));
    const open = acquired.stores.get('blue');
    await eventually(async () => open?.usedBytes() === 0, 'it is counted');
    await putAll(storeOf(acquired, 'blue'), newRef('state'), makeObject('state', 800));
    await expectFailure(putAll(storeOf(acquired, 'blue'), newRef('state'), makeObject('state', 800)), 'no_space');
    const raised = await pool.acquire(config({ blue: { ...settings.blue, quota: 2000 } }));
    expect(storeOf(raised, 'blue')).to.equal(storeOf(acquired, 'blue'));
    raised.stores.get('blue')?.setQuota(2000);
    await putAll(storeOf(raised, 'blue'), newRef('state'), makeObject('state', 800));
    expect(raised.stores.get('blue')?.usedBytes()).to.equal(1600);
    await acquired.release(0);
    await raised.release(0);
  });
});
