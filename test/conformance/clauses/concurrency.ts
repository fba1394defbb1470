import { expect } from 'chai';
import { ifPresent } from '../../../src/core/errors.js';
import { objectKinds, type ObjectRef } from '../../../src/core/object.js';
import type { Store } from '../../../src/core/store.js';
import { inChunks, makeObject, newRef } from '../../support/objects.js';
import { ctx, failure, getAll, listAll, putAll } from '../../support/store.js';
import type { Subject } from '../target.js';

/** Concurrent operations, in any mix. */
export function describeConcurrency(subject: Subject): void {
  describe('concurrently', () => {
    describePutsOfOneName(subject);
    describeListsAndLocks(subject);

    it('gives consistent results for puts, gets, stats, lists and deletes of the same names', async () => {
      const mix = new Mix(subject.store);
      await Promise.all(Array.from({ length: 6 }, (_, worker) => mix.run(worker, 30)));
      await mix.settle();
    });
  });
}

function describePutsOfOneName(subject: Subject): void {
  for (const kind of ['packfile', 'state'] as const) {
    it(`stores one of several different ${kind}s that are put under one name, whole, and refuses the others`, async () => {
      const { store } = subject;
      const ref = newRef(kind);
      const bodies = Array.from({ length: 16 }, (_, i) => makeObject(kind, 600_000 + i, `contender ${i}`));
      const results = await Promise.allSettled(bodies.map((bytes) => putAll(store, ref, bytes, 50_000)));
      const won = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
      expect(won).to.have.length(1);
      expect((await getAll(store, ref)).equals(bodies[won[0] ?? -1] ?? Buffer.alloc(0))).to.equal(true);
      for (const result of results) {
        if (result.status === 'rejected') {
          expect((await failure(Promise.reject(result.reason as Error))).code).to.equal('already_exists');
        }
      }
    });

    it(`lets all puts of one ${kind} with the same bytes succeed`, async () => {
      const { store } = subject;
      const ref = newRef(kind);
      const bytes = makeObject(kind, 700_000);
      const created = await Promise.all(Array.from({ length: 16 }, () => putAll(store, ref, bytes, 50_000)));
      if (!subject.hides('created')) expect(created.filter((each) => each)).to.have.length(1);
      expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
    });
  }

  it('lets all puts of one lock succeed, and keeps one of them, whole', async () => {
    const { store } = subject;
    const ref = newRef('lock');
    const bodies = Array.from({ length: 16 }, (_, i) => makeObject('lock', 1000 + i, `contender ${i}`));
    await Promise.all(bodies.map((bytes) => putAll(store, ref, bytes, 100)));
    const got = await getAll(store, ref);
    expect(bodies.filter((bytes) => bytes.equals(got))).to.have.length(1);
    expect(await listAll(store, 'lock')).to.deep.equal([ref.mac]);
  });
}

function describeListsAndLocks(subject: Subject): void {
  it('never shows a lock that is being replaced as absent or in part', async () => {
    const { store } = subject;
    const ref = newRef('lock');
    const versions = Array.from({ length: 30 }, (_, i) => makeObject('lock', 1000 + i * 1000, `version ${i}`));
    await putAll(store, ref, versions[0] ?? Buffer.alloc(0));
    let replaced = false;
    const replacing = (async () => {
      for (const bytes of versions) await putAll(store, ref, bytes, 500);
      replaced = true;
    })();
    do {
      const got = await getAll(store, ref);
      expect(versions.some((bytes) => bytes.equals(got))).to.equal(true);
      expect(await listAll(store, 'lock')).to.deep.equal([ref.mac]);
    } while (!replaced);
    await replacing;
  });

  it('lists every object that stays, once, while others are put and deleted', async () => {
    const { store } = subject;
    const stay = Array.from({ length: 12 }, () => newRef('packfile'));
    for (const ref of stay) await putAll(store, ref, makeObject('packfile', 100));
    const passing = Array.from({ length: 12 }, () => newRef('packfile'));
    let done = false;
    const changing = (async () => {
      for (const ref of passing) {
        await putAll(store, ref, makeObject('packfile', 100));
        await store.delete(ref, ctx);
      }
      done = true;
    })();
    const known = new Set([...stay, ...passing].map(({ mac }) => mac));
    do {
      const listed = await listAll(store, 'packfile');
      expect(listed).to.include.members(stay.map(({ mac }) => mac));
      expect(new Set(listed).size).to.equal(listed.length);
      expect(listed.filter((mac) => !known.has(mac))).to.deep.equal([]);
    } while (!done);
    await changing;
  });
}

/** Random operations on a few names, whose results are checked. A packfile or state always has the same bytes. */
class Mix {
  private readonly refs = objectKinds.flatMap((kind) => [newRef(kind), newRef(kind)]);

  constructor(private readonly store: Store) {}

  async run(seed: number, count: number): Promise<void> {
    const draw = randomNumbers(seed);
    for (let i = 0; i < count; i++) {
      const ref = this.refs[draw(this.refs.length)];
      if (ref !== undefined) await this.step(draw(10), ref, draw(versions));
    }
  }

  /** Afterwards, every name can be put and read. */
  async settle(): Promise<void> {
    for (const ref of this.refs) {
      await putAll(this.store, ref, bytesOf(ref, 0));
      expect((await getAll(this.store, ref)).equals(bytesOf(ref, 0))).to.equal(true);
    }
  }

  private async step(what: number, ref: ObjectRef, version: number): Promise<void> {
    const { store } = this;
    const all = Array.from({ length: versions }, (_, i) => bytesOf(ref, i));
    if (what < 4) {
      await store.put(ref, inChunks(bytesOf(ref, version), 30_000), ctx);
    } else if (what < 6) {
      const got = await ifPresent(getAll(store, ref));
      if (got !== undefined) expect(all.some((bytes) => bytes.equals(got))).to.equal(true);
    } else if (what < 7) {
      const stat = await ifPresent(store.stat(ref, ctx));
      if (stat !== undefined) expect(all.map(({ length }) => length)).to.include(stat.size);
    } else if (what < 8) {
      const listed = await listAll(store, ref.kind);
      expect(this.refs.map(({ mac }) => mac)).to.include.members(listed);
      expect(new Set(listed).size).to.equal(listed.length);
    } else {
      await store.delete(ref, ctx);
    }
  }
}

/** The number of versions of a lock. */
const versions = 3;

function bytesOf({ kind, mac }: ObjectRef, version: number): Buffer {
  return kind === 'lock' ? makeObject(kind, 1000 + version, `${mac} ${version}`) : makeObject(kind, 100_000, mac);
}

/** A random number generator: whole numbers from 0 to below a limit, the same ones for the same seed. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed + 1;
  return (limit) => {
    state = (state * 48271) % 2147483647;
    return state % limit;
  };
}
