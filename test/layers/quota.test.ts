import { expect } from 'chai';
import fc from 'fast-check';
import { readdir } from 'node:fs/promises';
import { FileStore } from '../../src/backends/files/file-store.js';
import { LocalFileSystem } from '../../src/backends/local/local-file-system.js';
import { hasCode, StoreError } from '../../src/core/errors.js';
import type { ObjectKind, ObjectRef } from '../../src/core/object.js';
import type { OpContext, Store } from '../../src/core/store.js';
import { Quota } from '../../src/layers/quota.js';
import { host, silent } from '../support/gateway.js';
import { MemoryStore } from '../support/memory-store.js';
import { inChunks, makeObject, newRef } from '../support/objects.js';
import { ctx, eventually, expectFailure, listAll, putAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { TrashingStore } from '../support/trashing-store.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function storedBytes(store: Store): Promise<number> {
  let bytes = 0;
  for (const kind of ['packfile', 'state'] as const) {
    for (const mac of await listAll(store, kind)) bytes += (await store.stat({ kind, mac }, ctx)).size;
  }
  return bytes;
}

describe('Quota', () => {
  let inner: MemoryStore;
  let opened: Quota[];

  beforeEach(() => {
    inner = new MemoryStore(Buffer.alloc(48), 1e6);
    opened = [];
  });

  afterEach(async () => {
    for (const store of opened) await store.stop();
  });

  function withQuota(bytes: number, options = {}, below: Store = inner): Quota {
    const store = new Quota(below, bytes, { name: 'blue', log: silent, ...options });
    opened.push(store);
    return store;
  }

  async function putNew(store: Store, size: number, kind: ObjectKind = 'packfile'): Promise<ObjectRef> {
    const ref = newRef(kind);
    await putAll(store, ref, makeObject(kind, size));
    return ref;
  }

  it('takes packfiles and states to the last byte, and not one more', async () => {
    await putNew(inner, 400);
    const store = withQuota(1000);
    await putNew(store, 500, 'state');
    const error = await expectFailure(putNew(store, 101), 'no_space');
    expect(error.message).to.include('quota of 1000 bytes');
    expect(store.usedBytes).to.equal(900);
    await putNew(store, 100);
    await expectFailure(putNew(store, 48, 'state'), 'no_space');
    expect(store.usedBytes).to.equal(1000);
    expect(await storedBytes(inner)).to.equal(1000);
  });

  it('accepts locks without counting them', async () => {
    await putNew(inner, 100, 'lock');
    const store = withQuota(0);
    const lock = await putNew(store, 5000, 'lock');
    await store.delete(lock, ctx);
    await expectFailure(putNew(store, 48), 'no_space');
    expect(store.usedBytes).to.equal(0);
  });

  it('frees the room of a deleted object once, however often it is deleted', async () => {
    const store = withQuota(1000);
    const refs = [await putNew(store, 400), await putNew(store, 600, 'state')];
    const [first = newRef('packfile')] = refs;
    await Promise.all([store.delete(first, ctx), store.delete(first, ctx), store.delete(first, ctx)]);
    await store.delete(first, ctx);
    await store.delete(newRef('state'), ctx);
    expect(store.usedBytes).to.equal(600);
    await expectFailure(putNew(store, 401), 'no_space');
    await putNew(store, 400);
  });

  it('takes the same bytes again when it is full, since they change nothing, and other bytes never', async () => {
    const store = withQuota(1000);
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 1000);
    expect(await putAll(store, ref, bytes, 100)).to.equal(true);
    for (let i = 0; i < 3; i++) expect(await putAll(store, ref, bytes, 100)).to.equal(false);
    await expectFailure(putAll(store, ref, makeObject('packfile', 1000, 'other')), 'already_exists');
    expect(store.usedBytes).to.equal(1000);
    await store.delete(ref, ctx);
    await putNew(store, 1000);
  });

  it('gives back what failed uploads took, however they failed', async () => {
    const store = withQuota(1000);
    async function* cutOff(): AsyncGenerator<Uint8Array> {
      yield makeObject('packfile', 900);
      throw new StoreError('canceled', 'gone');
    }
    for (let i = 0; i < 5; i++) {
      await expectFailure(store.put(newRef('packfile'), cutOff(), ctx), 'canceled');
      await expectFailure(putAll(store, newRef('packfile'), Buffer.alloc(900)), 'invalid_argument');
      await expectFailure(putAll(store, newRef('packfile'), makeObject('packfile', 5000), 100), 'no_space');
    }
    expect(store.usedBytes).to.equal(0);
    await putNew(store, 1000);
  });

  it('counts an upload while it comes, so that a second one finds no room that is not there', async () => {
    const store = withQuota(1000);
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield makeObject('packfile', 900);
      await ended;
    }
    const upload = store.put(newRef('packfile'), slow(), ctx);
    await turn();
    await expectFailure(putNew(store, 101), 'no_space');
    await putNew(store, 100);
    expect(store.usedBytes).to.equal(100);
    end();
    await upload;
    expect(store.usedBytes).to.equal(1000);
  });

  it('has room for just 10 of 100 uploads at once, on a disk, and nothing is left of the others', async () => {
    const folder = await emptyStore();
    const files = await FileStore.open(new LocalFileSystem(folder), { durable: false, maxObjectBytes: 1e6, host });
    const store = withQuota(10 * 4000, {}, files);
    const put = () => {
      const { signal } = new AbortController();
      return store.put(newRef('packfile'), inChunks(makeObject('packfile', 4000)), { signal });
    };
    const results = await Promise.allSettled(Array.from({ length: 100 }, put));
    const stored = results.filter(({ status }) => status === 'fulfilled');
    expect(stored).to.have.length(10);
    for (const result of results)
      if (result.status === 'rejected') expect(hasCode(result.reason, 'no_space')).to.equal(true);
    expect(await storedBytes(files)).to.equal(40_000);
    expect(store.usedBytes).to.equal(40_000);
    const left = await readdir(folder, { recursive: true });
    expect(left.filter((name) => name.includes('tmp.'))).to.deep.equal([]);
    await files.close();
  });

  it('never has more than it may, and knows how much it has, whatever is put and deleted at once', async () => {
    const step = fc.record({
      kind: fc.constantFrom<ObjectKind>('packfile', 'state'),
      name: fc.nat(5),
      size: fc.integer({ min: 48, max: 900 }),
      what: fc.constantFrom('put', 'put', 'put', 'delete'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 3000 }), async (steps, quota) => {
        const memory = new MemoryStore(Buffer.alloc(48), 1e6);
        const store = withQuota(quota, {}, memory);
        const names = Array.from({ length: 6 }, () => newRef('packfile').mac);
        await Promise.allSettled(
          steps.map(async ({ kind, name, size, what }) => {
            const ref = { kind, mac: names[name] ?? newRef(kind).mac };
            if (what === 'put') await putAll(store, ref, makeObject(kind, size), 100);
            else await store.delete(ref, ctx);
            const bytes = await storedBytes(memory);
            if (bytes > quota) throw new Error(`${bytes} bytes are stored`);
          }),
        ).then((results) => {
          for (const result of results) {
            if (result.status === 'rejected') expect(result.reason).to.be.instanceOf(StoreError);
          }
        });
        if (store.usedBytes !== undefined) expect(store.usedBytes).to.be.at.least(await storedBytes(memory));
      }),
      { numRuns: 200 },
    );
  });

  it('counts what is in the trash where that is wanted, until it is purged', async () => {
    const trashing = new TrashingStore();
    const earlier = newRef('state');
    trashing.add(earlier, makeObject('state', 300));
    trashing.discard(earlier);
    const store = withQuota(1000, { trash: () => trashing.trash, keepsDeleted: true }, trashing);
    const ref = await putNew(store, 700);
    await store.delete(ref, ctx);
    const { message } = await expectFailure(putNew(store, 48), 'no_space');
    expect(message).to.include('purge the trash');
    for (const object of trashing.inTrash) {
      const { size } = await trashing.trash.stat(object, ctx);
      await trashing.trash.remove(object);
      store.purged(size);
    }
    expect(store.usedBytes).to.equal(0);
    const other = withQuota(1000, {}, trashing);
    await other.delete(await putNew(other, 700), ctx);
    other.purged(700);
    expect(other.usedBytes).to.equal(0);
    await putNew(other, 1000);
  });

  it('still knows how much there is when objects move to the trash while it is counted', async () => {
    const trashing = new TrashingStore();
    const refs = Array.from({ length: 5 }, () => newRef('packfile'));
    for (const ref of refs) trashing.add(ref, makeObject('packfile', 100));
    const store = withQuota(1000, { trash: () => trashing.trash, keepsDeleted: true, everyMs: 1 }, trashing);
    await store.measuredBytes(ctx);
    // From now on one goes to the trash at each step of a count.
    const deletes: Promise<void>[] = [];
    trashing.meanwhile = (operation) => {
      const ref = operation === 'stat' ? undefined : refs.pop();
      if (ref !== undefined) deletes.push(store.delete(ref, ctx));
    };
    const lists = trashing.calls['list trash'];
    await eventually(async () => trashing.calls['list trash'] > lists + 2, 'it was counted again');
    await Promise.all(deletes);
    expect(store.usedBytes).to.equal(500);
  });

  it('accepts nothing new when it is lowered below the store’s size, and more when it is raised', async () => {
    const store = withQuota(1000);
    const ref = await putNew(store, 1000);
    store.maxBytes = 500;
    await expectFailure(putNew(store, 48), 'no_space');
    expect(await putAll(store, ref, makeObject('packfile', 1000))).to.equal(false);
    store.maxBytes = 1048;
    await putNew(store, 48);
  });

  describe('finding out how much there is', () => {
    /** A store whose lists wait for `go`, and fail if it is called with an error. */
    function held(below: Store = inner): { store: Store; go: (error?: StoreError) => void; lists: () => number } {
      let lists = 0;
      const waiting: { resolve: () => void; reject: (error: StoreError) => void }[] = [];
      const store: Store = Object.assign(Object.create(below) as Store, {
        list: async function* (kind: ObjectKind) {
          lists++;
          await new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
          yield* below.list(kind, ctx);
        },
      });
      const go = (error?: StoreError): void => {
        const next = waiting.shift();
        if (error === undefined) next?.resolve();
        else next?.reject(error);
      };
      return { store, go, lists: () => lists };
    }

    async function release({ go, lists }: { go: () => void; lists: () => number }, count: number): Promise<void> {
      for (let i = 0; i < count; i++) {
        const before = lists();
        go();
        for (let turns = 0; turns < 20 && lists() === before; turns++) await turn();
      }
    }

    it('is done in the background, and puts wait for it, unless they go away', async () => {
      await putNew(inner, 900);
      const slow = held();
      const store = withQuota(1000, {}, slow.store);
      store.start();
      expect(store.usedBytes).to.equal(undefined);
      const gone = new AbortController();
      const puts = [putNew(store, 100), store.put(newRef('state'), inChunks(makeObject('state', 50)), gone)] as const;
      await turn();
      gone.abort();
      await expectFailure(puts[1], 'canceled');
      expect(await storedBytes(inner)).to.equal(900);
      await release(slow, 2);
      await puts[0];
      expect(store.usedBytes).to.equal(1000);
      expect(slow.lists()).to.equal(2);
    });

    it('is repeated after a failure, which is logged; until then puts fail with `unavailable`', async () => {
      const log: object[] = [];
      const slow = held();
      const options = { retryMs: 1, log: { warn: (fields: object) => log.push(fields) } };
      const store = withQuota(1000, options, slow.store);
      const put = putNew(store, 100);
      await turn();
      slow.go(new StoreError('unavailable', 'the disk is gone'));
      await expectFailure(put, 'unavailable');
      expect(log).to.have.length(1);
      expect(log[0]).to.have.property('store', 'blue');
      while (slow.lists() < 2) await new Promise((resolve) => setTimeout(resolve, 1));
      await release(slow, 2);
      await putNew(store, 100);
      expect(store.usedBytes).to.equal(100);
    });

    it('is done again now and then, and finds what others added and took away', async () => {
      const store = withQuota(1000, { everyMs: 0 });
      const mine = await putNew(store, 400);
      await putNew(inner, 500);
      const reaches = async (bytes: number): Promise<void> => {
        for (let i = 0; i < 500 && store.usedBytes !== bytes; i++)
          await new Promise((resolve) => setTimeout(resolve, 1));
        expect(store.usedBytes).to.equal(bytes);
      };
      await reaches(900);
      await expectFailure(putNew(store, 101), 'no_space');
      await inner.delete(mine);
      await reaches(500);
      await putNew(store, 500);
    });

    it('is done again soon when something found no room, so that what an operator purged makes room', async () => {
      const trashing = new TrashingStore();
      const store = withQuota(1000, { trash: () => trashing.trash, keepsDeleted: true, retryMs: 0 }, trashing);
      await store.delete(await putNew(store, 600), ctx);
      for (const object of trashing.inTrash) await trashing.trash.remove(object);
      await expectFailure(putNew(store, 600), 'no_space');
      await eventually(async () => store.usedBytes === 0, 'it was counted again');
      await putNew(store, 600);
    });

    it('is not done again for each of many that found no room', async () => {
      const trashing = new TrashingStore();
      const store = withQuota(100, { trash: () => trashing.trash, keepsDeleted: true }, trashing);
      for (let i = 0; i < 20; i++) await expectFailure(putNew(store, 101), 'no_space');
      for (let turns = 0; turns < 20; turns++) await turn();
      expect(trashing.calls['list trash']).to.equal(1);
    });

    it('is right whatever is put and deleted while it runs, seen by the scan or not', async () => {
      const seen = await putNew(inner, 100);
      const unseen = await putNew(inner, 200, 'state');
      const kept = await putNew(inner, 50, 'state');
      const slow = held();
      const store = withQuota(10_000, { everyMs: 0 }, slow.store);
      store.start();
      await turn();
      await release(slow, 2);
      expect(store.usedBytes).to.equal(350);
      while (slow.lists() < 3) await new Promise((resolve) => setTimeout(resolve, 1));
      // Of the next scan: before the packfiles, between both, and before the states.
      const early = await putNew(store, 1000);
      await release(slow, 1);
      await store.delete(seen, ctx);
      await store.delete(unseen, ctx);
      await store.delete(early, ctx);
      await putNew(store, 3000);
      await putNew(store, 4000, 'state');
      expect(await putAll(store, kept, makeObject('state', 50))).to.equal(false);
      expect(store.usedBytes).to.equal(7050);
      slow.go();
      for (let i = 0; i < 50; i++) await turn();
      expect(store.usedBytes).to.equal(7050);
    });

    it('counts objects that were deleted during the first scan until the next one, which follows soon', async () => {
      const refs = [await putNew(inner, 100), await putNew(inner, 200)];
      const slow = held();
      const store = withQuota(1000, { retryMs: 0 }, slow.store);
      store.start();
      await turn();
      await release(slow, 1);
      for (const ref of refs) await store.delete(ref, ctx);
      await release(slow, 1);
      expect(store.usedBytes).to.equal(300);
      while (slow.lists() < 3) await new Promise((resolve) => setTimeout(resolve, 1));
      await release(slow, 2);
      expect(store.usedBytes).to.equal(0);
    });

    it('skips objects that are deleted after they were listed', async () => {
      const refs = [await putNew(inner, 100), await putNew(inner, 200)];
      const below: Store = Object.assign(Object.create(inner) as Store, {
        list: async function* (kind: ObjectKind) {
          for await (const batch of inner.list(kind)) {
            await inner.delete(refs[0] ?? newRef('packfile'));
            yield batch;
          }
        },
      });
      const store = withQuota(1000, {}, below);
      await putNew(store, 50);
      expect(store.usedBytes).to.equal(250);
    });

    it('ends with the store, at once and for good', async () => {
      let lists = 0;
      const below: Store = Object.assign(Object.create(inner) as Store, {
        list: async function* (_kind: ObjectKind, { signal }: OpContext) {
          lists++;
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
        },
      });
      const log: object[] = [];
      const options = { everyMs: 0, retryMs: 0, log: { warn: (fields: object) => log.push(fields) } };
      const store = withQuota(1000, options, below);
      const put = putNew(store, 100);
      await turn();
      await store.close();
      await expectFailure(put, 'unavailable');
      await expectFailure(putNew(store, 100), 'unavailable');
      expect(lists).to.equal(1);
      expect(log).to.deep.equal([]);
    });
  });
});
