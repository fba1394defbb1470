import { expect } from 'chai';
import fc from 'fast-check';
import type { ObjectKind, ObjectRef } from '../../src/core/object.js';
import type { Store } from '../../src/core/store.js';
import { viewsOf } from '../../src/layers/views.js';
import type { TrashedObject } from '../../src/core/trash.js';
import { deferred } from '../support/deferred.js';
import { newRef, randomMacIn } from '../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../support/store.js';
import { TrashingStore } from '../support/trashing-store.js';

const kinds = ['packfile', 'state'] as const satisfies ObjectKind[];

/** All that a view has: `kind/mac` and the bytes. Fails where its list, its stats and its gets don't agree. */
async function contentsOf(view: Store): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const kind of kinds) {
    const macs = await listAll(view, kind);
    expect(new Set(macs).size, 'no name twice').to.equal(macs.length);
    for (const mac of macs.sort()) {
      const bytes = await getAll(view, { kind, mac });
      expect((await view.stat({ kind, mac }, ctx)).size).to.equal(bytes.length);
      contents[`${kind}/${mac}`] = String(bytes);
    }
  }
  return contents;
}

describe('A store as of a moment', () => {
  let store: TrashingStore;
  let viewAt: (momentMs: number) => Store;

  beforeEach(() => {
    store = new TrashingStore();
    viewAt = viewsOf(store, store);
  });

  const add = (ref: ObjectRef, atMs: number, text = `put at ${atMs}`): void => {
    store.nowMs = atMs;
    store.add(ref, Buffer.from(text));
  };

  const discard = (ref: ObjectRef, atMs: number): void => {
    store.nowMs = atMs;
    store.discard(ref);
  };

  it('has what the store had then, after any sequence of puts, deletes, restores and steps of the clock', async () => {
    const refs = kinds.flatMap((kind) =>
      ['aa', 'aa', 'bb'].map((bucket): ObjectRef => ({ kind, mac: randomMacIn(bucket) })),
    );
    const index = fc.nat({ max: refs.length - 1 });
    const step = fc.oneof(
      fc.record({ do: fc.constant('put' as const), index }),
      fc.record({ do: fc.constant('delete' as const), index }),
      fc.record({ do: fc.constant('delete for good' as const), index }),
      fc.record({ do: fc.constant('restore' as const), index }),
      fc.record({ do: fc.constant('note' as const), ms: fc.constantFrom(1, 50, 3_600_000) }),
      fc.record({ do: fc.constant('look' as const) }),
    );
    const run = async (steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]): Promise<void> => {
      const world = new TrashingStore();
      world.nowMs = 1_000_000;
      const views = viewsOf(world, world);
      const now = new Map<string, string>();
      const noted: { readonly ms: number; readonly contents: Map<string, string> }[] = [];
      let puts = 0;
      const look = async (): Promise<void> => {
        for (const { ms, contents } of noted) {
          const view = views(ms);
          const expected = Object.fromEntries([...contents].sort());
          expect(await contentsOf(view), `as of ${ms}`).to.deep.equal(expected);
          for (const ref of refs)
            if (!contents.has(`${ref.kind}/${ref.mac}`))
              await expectFailure(view.get(ref, undefined, ctx), 'not_found');
        }
      };
      for (const each of steps) {
        if (each.do === 'look') await look();
        if (each.do === 'note') {
          noted.push({ ms: world.nowMs, contents: new Map(now) });
          world.nowMs += each.ms;
        }
        if (!('index' in each)) continue;
        const ref = refs[each.index] as ObjectRef;
        const name = `${ref.kind}/${ref.mac}`;
        if (each.do === 'put') {
          const bytes = `put ${++puts}`;
          if (world.add(ref, Buffer.from(bytes))) now.set(name, bytes);
        } else if (each.do === 'delete') {
          world.discard(ref);
          now.delete(name);
        } else if (each.do === 'delete for good') {
          if (!now.delete(name)) continue;
          const { modifiedMs } = await world.stat(ref);
          world.discard(ref);
          await world.trash.remove(world.inTrash.at(-1) as TrashedObject);
          // Lost at all moments that had it.
          for (const { ms, contents } of noted) if (ms >= modifiedMs) contents.delete(name);
        } else {
          const trashed = world.inTrash[each.index % Math.max(1, world.inTrash.length)];
          if (trashed === undefined) continue;
          const { modifiedMs } = await world.trash.stat(trashed, ctx);
          if (!world.restore(trashed.id)) continue;
          const bytes = String(await getAll(world, trashed.ref));
          const restored = `${trashed.ref.kind}/${trashed.ref.mac}`;
          now.set(restored, bytes);
          // As if it had never been deleted.
          for (const { ms, contents } of noted) if (ms >= modifiedMs) contents.set(restored, bytes);
        }
      }
      await look();
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), run), { numRuns: 150 });
  });

  it('lists what is deleted or restored while it does, once', async () => {
    const [moved, restored, both, still] = [newRef('state'), newRef('state'), newRef('state'), newRef('state')];
    for (const ref of [moved, restored, both, still]) add(ref, 1);
    for (const ref of [restored, both]) discard(ref, 5);
    const expected = [moved, restored, both, still].map(({ mac }) => mac).sort();
    store.meanwhile = (operation) => {
      if (operation === 'list') {
        store.discard(moved);
        for (const { ref, id } of store.inTrash) if (ref.mac === restored.mac) store.restore(id);
      }
      if (operation === 'list trash' && store.calls.list > 0)
        for (const { ref, id } of store.inTrash) if (ref.mac === both.mac) store.restore(id);
    };
    expect((await listAll(viewAt(3), 'state')).sort()).to.deep.equal(expected);
    store.meanwhile = () => undefined;
    expect((await listAll(viewAt(3), 'state')).sort()).to.deep.equal(expected);
  });

  it('lists what is moved to the trash after the store was listed only once', async () => {
    const refs = ['aa', 'bb', 'cc'].map((bucket): ObjectRef => ({ kind: 'packfile', mac: randomMacIn(bucket) }));
    for (const ref of refs) add(ref, 1);
    store.nowMs = 5;
    const macs: string[] = [];
    for await (const batch of viewAt(3).list('packfile', ctx)) {
      macs.push(...batch);
      for (const ref of refs) store.discard(ref);
    }
    expect(macs.sort()).to.deep.equal(refs.map(({ mac }) => mac).sort());
  });

  it('never gives the bytes of a later object of the same name', async () => {
    const ref = newRef('packfile');
    add(ref, 1, 'the old bytes');
    store.nowMs = 5;
    store.meanwhile = (operation) => {
      if (operation !== 'get' || store.inTrash.length > 0) return;
      store.discard(ref);
      store.add(ref, Buffer.from('put in its place'));
    };
    expect(String(await getAll(viewAt(3), ref))).to.equal('the old bytes');
    expect(String(await getAll(viewAt(5), ref))).to.equal('put in its place');
    expect(String(await getAll(viewAt(3), ref, { offset: 4, length: 3 }))).to.equal('old');
  });

  it('finds what is deleted and restored between two looks for it', async () => {
    const ref = newRef('packfile');
    add(ref, 1);
    const view = viewAt(3);
    await listAll(view, 'packfile');
    discard(ref, 5);
    store.meanwhile = (operation) => {
      if (operation === 'list trash') for (const { id } of store.inTrash) store.restore(id);
    };
    expect(String(await getAll(view, ref))).to.equal('put at 1');
  });

  it('looks again for what comes into the trash while that is read', async () => {
    const [ref, first] = [newRef('packfile'), deferred()];
    add(ref, 1);
    store.nowMs = 5;
    const list = async function* (): ReturnType<typeof store.trash.list> {
      const all: TrashedObject[] = [];
      for await (const object of store.trash.list(ctx)) all.push(object);
      if (store.calls['list trash'] === 1) await first.promise;
      yield* all;
    };
    const view = viewsOf(store, { trash: { ...store.trash, list } })(3);
    const listed = listAll(view, 'state');
    store.discard(ref);
    const read = getAll(view, ref);
    await new Promise((resolve) => setImmediate(resolve));
    first.resolve();
    expect(String(await read)).to.equal('put at 1');
    await listed;
  });

  it('tells an object from one of its name that was there before, which is in the trash', async () => {
    const ref = newRef('packfile');
    add(ref, 1);
    expect(await listAll(viewAt(1), 'packfile')).to.deep.equal([ref.mac]);
    discard(ref, 3);
    add(ref, 5);
    expect(await listAll(viewAt(3), 'packfile')).to.deep.equal([]);
    expect(await listAll(viewAt(5), 'packfile')).to.deep.equal([ref.mac]);
  });

  it('tells an object from one of its name that was deleted for good', async () => {
    const [ref, other] = [newRef('packfile'), newRef('packfile')];
    const deleteForGood = async (): Promise<void> => {
      store.discard(ref);
      for (const object of store.inTrash) await store.trash.remove(object);
    };
    for (const each of [ref, other]) add(each, 1);
    expect(await listAll(viewAt(3), 'packfile')).to.have.members([ref.mac, other.mac]);
    await deleteForGood();
    add(ref, 5);
    expect(await listAll(viewAt(3), 'packfile')).to.deep.equal([other.mac]);
    await deleteForGood();
    add(ref, 2);
    expect(await listAll(viewAt(3), 'packfile')).to.have.members([ref.mac, other.mac]);
  });

  it('has the object that arrived last where the trash has several that were there then', async () => {
    const ref = newRef('packfile');
    for (const [text, at] of [
      ['first', 1],
      ['last', 2],
      ['early', 0],
    ] as const) {
      add(ref, at, text);
      discard(ref, 5);
    }
    expect(String(await getAll(viewAt(3), ref))).to.equal('last');
    expect(String(await getAll(viewAt(1), ref))).to.equal('first');
  });

  it('no longer has what was purged', async () => {
    const [purged, kept] = [newRef('state'), newRef('state')];
    for (const ref of [purged, kept]) add(ref, 1);
    const view = viewAt(3);
    expect(await listAll(view, 'state')).to.have.members([purged.mac, kept.mac]);
    for (const ref of [purged, kept]) discard(ref, 5);
    expect(await listAll(view, 'state')).to.have.members([purged.mac, kept.mac]);
    for (const object of store.inTrash) if (object.ref.mac === purged.mac) await store.trash.remove(object);
    expect(await listAll(view, 'state')).to.deep.equal([kept.mac]);
    await expectFailure(view.stat(purged, ctx), 'not_found');
    await expectFailure(view.get(purged, undefined, ctx), 'not_found');
  });

  it('asks for the time of each object once, whatever the moments, while what has the first digits of its name is the same', async () => {
    const refs = Array.from({ length: 20 }, (_, i): ObjectRef => ({
      kind: 'packfile',
      mac: randomMacIn(i < 15 ? 'aa' : 'bb'),
    }));
    for (const [i, ref] of refs.entries()) add(ref, i + 1);
    expect(await listAll(viewAt(3), 'packfile')).to.have.length(3);
    expect(store.calls.stat).to.equal(20);
    expect(await listAll(viewAt(3), 'packfile')).to.have.length(3);
    expect(await listAll(viewAt(7), 'packfile')).to.have.length(7);
    expect(store.calls.stat).to.equal(20);
    add({ kind: 'packfile', mac: randomMacIn('bb') }, 50);
    expect(await listAll(viewAt(7), 'packfile')).to.have.length(7);
    expect(store.calls.stat, 'only those beside the new one').to.equal(26);
  });

  it('reads a trash again only where it has changed, and the times of what is in it once', async () => {
    const refs = Array.from({ length: 20 }, () => newRef('packfile'));
    for (const ref of refs) add(ref, 1);
    for (const ref of refs.slice(0, 10)) discard(ref, 5);
    const stats = { count: 0 };
    const stat: typeof store.trash.stat = (...args) => {
      stats.count++;
      return store.trash.stat(...args);
    };
    const views = viewsOf(store, { trash: { ...store.trash, stat } });
    for (const ms of [3, 3, 2, 4]) expect(await listAll(views(ms), 'packfile')).to.have.length(20);
    expect([store.calls['list trash'], stats.count]).to.deep.equal([1, 10]);
    discard(refs[19] as ObjectRef, 6);
    for (const ms of [3, 3, 2, 4]) expect(await listAll(views(ms), 'packfile')).to.have.length(20);
    expect([store.calls['list trash'], stats.count]).to.deep.equal([2, 11]);
  });

  it('reads the trash once for many that look for what is not there', async () => {
    const view = viewAt(3);
    await Promise.all(
      Array.from({ length: 50 }, () => expectFailure(view.get(newRef('packfile'), undefined, ctx), 'not_found')),
    );
    expect(store.calls['list trash']).to.be.at.most(2);
  });

  it("can only be read, has no locks, and has the store's CONFIG", async () => {
    const [state, lock] = [newRef('state'), newRef('lock')];
    add(state, 1);
    add(lock, 1);
    const view = viewAt(3);
    expect(view.info()).to.deep.equal({ ...store.info(), access: 'read-only' });
    const { message } = await expectFailure(putAll(view, newRef('state'), Buffer.from('x')), 'permission_denied');
    expect(message).to.equal('this is the store as of 1970-01-01T00:00:00.003Z: it can only be read');
    await expectFailure(view.delete(state, ctx), 'permission_denied');
    await expectFailure(view.delete(lock, ctx), 'permission_denied');
    expect(await listAll(view, 'lock')).to.deep.equal([]);
    await expectFailure(view.stat(lock, ctx), 'not_found');
    await expectFailure(view.get(lock, undefined, ctx), 'not_found');
    expect(String(await view.config(ctx))).to.equal('CONFIG');
    await view.close();
    expect(await listAll(store, 'state')).to.deep.equal([state.mac]);
  });

  it('is never later than the moment as of which the store itself is served', async () => {
    const [early, late] = [newRef('state'), newRef('state')];
    add(early, 1);
    add(late, 5);
    const served = viewsOf(store, store, 3);
    expect(await listAll(served(Infinity), 'state')).to.deep.equal([early.mac]);
    expect(await listAll(served(9), 'state')).to.deep.equal([early.mac]);
    expect(await listAll(served(0), 'state')).to.deep.equal([]);
  });
});
