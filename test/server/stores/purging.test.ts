import { expect } from 'chai';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore } from '../../../src/backends/files/file-store.js';
import { objectPath } from '../../../src/backends/files/layout.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { StoreError } from '../../../src/core/errors.js';
import type { Trash, TrashedObject } from '../../../src/core/trash.js';
import { instantOf, machineClocks, RetentionClock, type Instant } from '../../../src/layers/retention-clock.js';
import { purge } from '../../../src/server/stores/purging.js';
import { StorePool } from '../../../src/server/stores/store-pool.js';
import { host, silent, testConfig } from '../../support/gateway.js';
import { deferred } from '../../support/deferred.js';
import { inChunks, makeObject, newRef } from '../../support/objects.js';
import { ctx, eventually, expectFailure, putAll } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';
import { TrashingStore } from '../../support/trashing-store.js';
import type { AuditEntry } from '../../../src/core/audit.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

describe('A purge of the trash', () => {
  let store: TrashingStore;
  let purged: [TrashedObject, number][];
  let logged: string[];

  beforeEach(() => {
    store = new TrashingStore();
    purged = [];
    logged = [];
  });

  async function run({ trash = store.trash, trashMs = hourMs, signal = ctx.signal, start = {} } = {}): Promise<void> {
    const log = {
      info: (_: object, message: string) => void logged.push(message),
      warn: ({ failed }: { failed?: number }, message: string) =>
        void logged.push(`warning: ${message}${failed === undefined ? '' : ` (${failed})`}`),
    };
    const now: Instant = { wallMs: store.nowMs, monotonicMs: 0, ...start };
    const clocks = { wallMs: () => now.wallMs, monotonicMs: () => 0 };
    const clock = new RetentionClock(store, { name: 'blue', log, start: now, clocks });
    try {
      await purge(
        { trash, trashMs, clock, log, name: 'blue', purged: (...each) => void purged.push(each) },
        { signal },
      );
    } finally {
      clock.stop();
    }
  }

  /** Objects that were deleted at the same time. */
  function deleted(count: number): void {
    for (let i = 0; i < count; i++) {
      const ref = newRef('packfile');
      store.add(ref, makeObject('packfile', 100));
      store.discard(ref);
    }
  }

  it('removes what has been there for its time, tells of each object, and leaves the rest', async () => {
    deleted(300);
    const old = store.inTrash.map(({ id }) => id);
    store.nowMs = hourMs - 1;
    deleted(2);
    await run();
    expect(store.inTrash).to.have.length(302);
    store.nowMs = hourMs;
    await run({ trashMs: 0 });
    expect(store.inTrash).to.have.length(302);
    const bounds: unknown[] = [];
    const list: Trash['list'] = (_, beforeMs) => {
      bounds.push(beforeMs);
      return store.trash.list(ctx);
    };
    await run({ trash: { ...store.trash, list } });
    // Whatever is younger need not be listed.
    expect(bounds).to.deep.equal([25 * hourMs - hourMs]);
    expect(store.inTrash).to.have.length(2);
    expect(purged.map(([{ id }]) => id)).to.have.members(old);
    expect(new Set(purged.map(([, bytes]) => bytes))).to.deep.equal(new Set([100]));
    expect(logged).to.deep.equal(['purged 300 objects whose time in the trash was up']);
  });

  it('goes by the clock of the retention, which a wall clock that is ahead does not move', async () => {
    store.add(newRef('state'), makeObject('state', 100));
    deleted(1);
    await run({ start: { wallMs: 1000 * hourMs }, trashMs: 27 * hourMs });
    expect(store.inTrash).to.have.length(1);
    await run({ start: { wallMs: 1000 * hourMs }, trashMs: 26 * hourMs });
    expect(store.inTrash).to.have.length(0);
  });

  it('removes eight at a time, and none after it was stopped', async () => {
    deleted(100);
    store.nowMs = hourMs;
    const stop = new AbortController();
    const [begun, go] = [deferred(), deferred()];
    let atOnce = 0;
    const remove = async (object: TrashedObject): Promise<void> => {
      if (++atOnce === 8) begun.resolve();
      await go.promise;
      await store.trash.remove(object);
    };
    const running = run({ trash: { ...store.trash, remove }, signal: stop.signal });
    await begun.promise;
    await new Promise((resolve) => setImmediate(resolve));
    expect(atOnce).to.equal(8);
    stop.abort();
    go.resolve();
    await running;
    expect(atOnce).to.equal(8);
    expect(store.inTrash).to.have.length(92);
  });

  it('removes what it can, logs that something is left, and passes over what someone else took', async () => {
    deleted(4);
    store.nowMs = hourMs;
    const [stuck, other, taken] = store.inTrash;
    const remove = async (object: TrashedObject): Promise<void> => {
      if (object.id === stuck?.id || object.id === other?.id) throw new StoreError('unavailable', 'no answer');
      await store.trash.remove(object);
    };
    const stat: TrashingStore['trash']['stat'] = async (object) => {
      if (object.id === taken?.id) throw new StoreError('not_found', 'restored');
      return store.trash.stat(object, ctx);
    };
    await run({ trash: { ...store.trash, remove, stat } });
    expect(purged).to.have.length(1);
    expect(logged).to.deep.equal([
      'purged 1 objects whose time in the trash was up',
      "warning: the trash can't be purged, or not all of it (2)",
    ]);
  });
});

describe('A pool of stores', () => {
  it('purges a trash as time goes by, which makes room in the quota where the trash counts', async () => {
    const entries: AuditEntry[] = [];
    const user = { name: 'operator', home: '/nonexistent', env: {} };
    const audit = { record: (entry: AuditEntry) => void entries.push(entry) };
    const pool = new StorePool({ host, user, log: silent, sweeps: true, audit, cleanEveryMs: 20 });
    const blue = { location: await emptyStore(), anonymous: 'full' as const, quota: 1000, trash: '1h' };
    const acquired = await pool.acquire(testConfig({ 'min-free-space': 0, stores: { blue } }));
    const opened = acquired.stores.get('blue');
    if (opened === undefined) throw new Error('there is no store');
    const times = { quotaBytes: 1000, retentionMs: 0, trustsClock: false };
    try {
      const ref = newRef('packfile');
      await putAll(opened.store, ref, makeObject('packfile', 900));
      await opened.store.delete(ref, ctx);
      const { message } = await expectFailure(
        opened.store.put(newRef('packfile'), inChunks(makeObject('packfile', 900)), ctx),
        'no_space',
      );
      expect(message).to.include('purge the trash');
      expect(entries).to.deep.equal([]);
      opened.configure({ ...times, trashMs: 1 });
      await eventually(async () => entries.length > 0, 'it is purged');
      expect(entries).to.have.length(1);
      expect(entries[0]).to.include({ principal: 'kloset-gateway', operation: 'purge', store: 'blue', ...ref });
      expect(await opened.measuredBytes?.(ctx)).to.equal(0);
      await putAll(opened.store, newRef('packfile'), makeObject('packfile', 900));
    } finally {
      await acquired.release(0);
    }
  });

  it('dates deletes by the start of the gateway where the clock is behind, and never before the arrival', async () => {
    const user = { name: 'operator', home: '/nonexistent', env: {} };
    const folder = await emptyStore();
    const { wallMs, monotonicMs } = instantOf(machineClocks);
    // The wall clock was set back by 30 days since.
    const startedAt = { wallMs: wallMs + 30 * dayMs, monotonicMs };
    const pool = new StorePool({ host, user, log: silent, sweeps: false, startedAt });
    const blue = { location: folder, anonymous: 'full' as const, trash: '1h' };
    const acquired = await pool.acquire(testConfig({ 'min-free-space': 0, stores: { blue } }));
    const store = acquired.stores.get('blue')?.store;
    if (store === undefined) throw new Error('there is no store');
    const files = await FileStore.open(new LocalFileSystem(folder), { durable: false, maxObjectBytes: 1000, host });
    try {
      const [now, later] = [newRef('packfile'), newRef('packfile')];
      for (const ref of [now, later]) await putAll(store, ref, makeObject('packfile', 100));
      const laterMs = wallMs + 300 * dayMs;
      await utimes(join(folder, objectPath(later)), laterMs / 1000, laterMs / 1000);
      await store.delete(now, ctx);
      await store.delete(later, ctx);
      const deletedMs = new Map<string, number>();
      for await (const { ref, deletedMs: ms } of files.trash.list(ctx)) deletedMs.set(ref.mac, ms);
      expect(deletedMs.get(now.mac)).to.be.at.least(Math.floor(startedAt.wallMs));
      expect(deletedMs.get(later.mac)).to.be.within(laterMs - 1, laterMs + 1);
    } finally {
      await files.close();
      await acquired.release(0);
    }
  });
});
