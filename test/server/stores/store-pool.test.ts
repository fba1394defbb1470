import { expect } from 'chai';
import type { Config, Settings } from '../../../src/config/config.js';
import type { Store } from '../../../src/core/store.js';
import type { StoreObserver } from '../../../src/core/store-observer.js';
import { StorePool, type AcquiredStores } from '../../../src/server/stores/store-pool.js';
import { host, silent, testConfig } from '../../support/gateway.js';
import { makeObject, newRef } from '../../support/objects.js';
import { s3Server } from '../../support/s3-server.js';
import { ctx, expectFailure, listAll, putAll } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';

describe('StorePool', () => {
  let pool: StorePool;
  let blue: string;
  let green: string;
  /** The operations that observers were told of, with their stores' names. */
  let observed: string[];

  function observerOf(name: string): StoreObserver {
    return {
      isActive: true,
      operation: (operation, code) => void observed.push(`${name}: ${operation} ${code}`),
      read: () => undefined,
      written: () => undefined,
      uploads: () => undefined,
      reconnected: () => undefined,
      retained: () => undefined,
      readFromMirror: () => undefined,
    };
  }

  beforeEach(async () => {
    observed = [];
    pool = new StorePool({
      host,
      user: { name: 'operator', home: '/nonexistent', env: {} },
      log: silent,
      sweeps: true,
      observerOf,
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
      config({ blue: { location: blue } }, { 's3-region': 'eu-1' }),
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
    expect(await open?.measuredBytes?.(ctx)).to.equal(0);
    expect(await open?.measuredBytes?.(ctx)).to.equal(0);
    await putAll(storeOf(acquired, 'blue'), newRef('state'), makeObject('state', 800));
    await expectFailure(putAll(storeOf(acquired, 'blue'), newRef('state'), makeObject('state', 800)), 'no_space');
    const raised = await pool.acquire(config({ blue: { ...settings.blue, quota: 2000 } }));
    expect(storeOf(raised, 'blue')).to.equal(storeOf(acquired, 'blue'));
    raised.stores.get('blue')?.configure({ quotaBytes: 2000, retentionMs: 0, trashMs: 0, trustsClock: false });
    await putAll(storeOf(raised, 'blue'), newRef('state'), makeObject('state', 800));
    expect(await raised.stores.get('blue')?.measuredBytes?.(ctx)).to.equal(1600);
    await acquired.release(0);
    await raised.release(0);
  });

  it('tells the observer of a store what is done with it', async () => {
    const acquired = await pool.acquire(
      config({ blue: { location: blue }, green: { location: green, quota: '1GiB' } }),
    );
    await listAll(storeOf(acquired, 'blue'), 'state');
    await expectFailure(storeOf(acquired, 'blue').stat(newRef('state'), ctx), 'not_found');
    await storeOf(acquired, 'green').config(ctx);
    expect(observed).to.include.members(['blue: list ok', 'blue: stat not_found', 'green: config ok']);
  });

  it('knows how much is free on the disk of a store, also of an optional one', async () => {
    const acquired = await pool.acquire(
      config({
        blue: { location: blue },
        green: { location: green, optional: true },
        gone: { location: '/nonexistent', optional: true },
      }),
    );
    for (const name of ['blue', 'green']) expect(await acquired.stores.get(name)?.freeBytes()).to.be.greaterThan(0);
    expect(await acquired.stores.get('gone')?.freeBytes()).to.equal(undefined);
    await acquired.release(0);
  });
});

describe('StorePool with a store in S3', () => {
  const server = s3Server();

  it('opens the store again if its settings for S3 change, and only then', async () => {
    const user = { name: 'operator', home: '/nonexistent', env: server().env };
    const pool = new StorePool({ host, user, log: silent, sweeps: false });
    const location = server().location(await server().emptyStore());
    const config = (s3: Record<string, string | boolean>, changes: Settings = {}): Config =>
      testConfig({ stores: { blue: { location, s3 } }, 's3-tls': false, ...changes });
    const first = await pool.acquire(config({}));
    const store = first.stores.get('blue')?.store;
    const others = [
      config({ 'path-style': true }),
      config({}, { 's3-path-style': true }),
      config({ 'storage-class': 'STANDARD' }),
    ];
    for (const changed of others) {
      const acquired = await pool.acquire(changed);
      expect(acquired.stores.get('blue')?.store).to.not.equal(store);
      await acquired.release();
    }
    const same = await pool.acquire(config({ tls: false }, { 's3-tls': true }));
    expect(same.stores.get('blue')?.store, 'the same settings, written elsewhere').to.equal(store);
    await Promise.all([first.release(), same.release()]);
  });
});
