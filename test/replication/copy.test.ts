import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { StoreError } from '../../src/core/errors.js';
import { objectKinds, type ObjectRef } from '../../src/core/object.js';
import type { OpContext } from '../../src/core/store.js';
import { copyStore, type CopyOptions, type CopyReport } from '../../src/replication/copy.js';
import { deferred } from '../support/deferred.js';
import { makeObject, newRef } from '../support/objects.js';
import { ctx, expectFailure, getAll, listAll } from '../support/store.js';
import { HookedStore, nameOf } from './support/hooked-store.js';

const none = { objects: 0, bytes: 0 };

describe('copyStore', () => {
  let source: HookedStore;
  let destination: HookedStore;

  beforeEach(async () => {
    [source, destination] = [await HookedStore.create(), await HookedStore.create()];
  });

  function copy(options: CopyOptions = {}, context: OpContext = ctx): Promise<CopyReport> {
    return copyStore(source, destination, { compareAll: true, pauseMs: 1, ...options }, context);
  }

  async function expectCopied(...refs: readonly ObjectRef[]): Promise<void> {
    for (const ref of refs) expect((await getAll(destination, ref)).equals(await getAll(source, ref))).to.equal(true);
    for (const kind of objectKinds) {
      const expected = refs.filter((ref) => ref.kind === kind).map(({ mac }) => mac);
      expect(await listAll(destination, kind)).to.have.members(expected);
    }
  }

  it('copies what the destination lacks: packfiles, then states, the oldest first, and no locks', async () => {
    const states = [await source.add('state', 500, 3000), await source.add('state', 600, 1000)];
    const packfiles = [await source.add('packfile', 5000, 2000), await source.add('packfile', 300_000, 500)];
    const there = await source.add('packfile');
    await destination.set(there, await getAll(source, there));
    await source.add('lock', 100);
    const report = await copy({ jobs: 1 });
    const inOrder = [packfiles[1], packfiles[0], states[1], states[0]] as ObjectRef[];
    expect(destination.namesOf('put')).to.deep.equal(inOrder.map(nameOf));
    await expectCopied(...inOrder, there);
    expect(report).to.deep.equal({
      copied: { packfile: { objects: 2, bytes: 305_000 }, state: { objects: 2, bytes: 1100 } },
      present: { packfile: 1, state: 0 },
      missing: { packfile: none, state: none },
      differing: [],
    });
    expect(source.openReads + destination.openReads).to.equal(0);
  });

  it('tells how far it has come', async () => {
    await source.add('packfile', 5000);
    await source.add('state', 600);
    const told: unknown[] = [];
    let bytes = 0;
    await copy({
      on: {
        planned: (all) => told.push(all),
        progressed: (more) => (bytes += more),
        copied: ({ kind }, size) => told.push([kind, size]),
      },
    });
    expect(told).to.deep.equal([{ objects: 2, bytes: 5600 }, ['packfile', 5000], ['state', 600]]);
    expect(bytes).to.equal(5600);
  });

  it('asks for each object once, and copies nothing twice', async () => {
    await Promise.all(Array.from({ length: 20 }, () => source.add('packfile')));
    await copy();
    expect(source.namesOf('get')).to.have.lengthOf(20);
    expect(source.namesOf('stat')).to.have.lengthOf(20);
    expect(destination.namesOf('put')).to.have.lengthOf(20);
    expect(destination.namesOf('get')).to.deep.equal([]);
    const { copied, present } = await copy({ compareAll: false });
    expect({ copied, present }).to.deep.include({
      copied: { packfile: none, state: none },
      present: { packfile: 20, state: 0 },
    });
    expect(source.namesOf('get').length + source.namesOf('stat').length).to.equal(40);
  });

  it('keeps as many transfers busy as told, whatever one of them takes', async () => {
    const slow = await source.add('packfile', 1000, -1);
    await Promise.all(Array.from({ length: 12 }, () => source.add('packfile')));
    const others = deferred();
    let running = 0;
    let most = 0;
    let left = 12;
    destination.before = async (operation, { mac }) => {
      if (operation !== 'put') return;
      most = Math.max(most, ++running);
      if (mac === slow.mac) await others.promise;
      else await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (--left === 0) others.resolve();
    };
    await copy({ jobs: 3 });
    expect(most).to.equal(3);
  });

  it('reads the next objects while the destination makes others durable', async () => {
    const refs = await Promise.all(Array.from({ length: 6 }, () => source.add('packfile')));
    const durable = deferred();
    const put = destination.put.bind(destination);
    let reading = 0;
    let most = 0;
    let waiting = 0;
    destination.put = (ref, body, context) => {
      most = Math.max(most, ++reading);
      const counted = async function* (): AsyncGenerator<Uint8Array> {
        yield* body;
        reading--;
        if (++waiting === 3) durable.resolve();
        await durable.promise;
      };
      return put(ref, counted(), context);
    };
    await copy({ jobs: 1 });
    await expectCopied(...refs);
    expect(most).to.equal(1);
  });

  it('is not faster than told, in small steps', async () => {
    const ref = await source.add('packfile', 300_000);
    const steps: number[] = [];
    const began = performance.now();
    await copy({ bytesPerSecond: 1_000_000, verify: true, on: { progressed: (bytes) => steps.push(bytes) } });
    // Time itself is what is tested: the object is read twice, and 165,536 bytes needn't wait.
    expect(performance.now() - began).to.be.above(430);
    expect(Math.max(...steps)).to.equal(65_536);
    await expectCopied(ref);
  });

  it('only says what it would do at a dry run', async () => {
    await source.add('packfile', 5000);
    await source.add('state', 600);
    destination.access = 'read-only';
    const { copied, missing } = await copy({ dryRun: true });
    expect(copied).to.deep.equal({ packfile: none, state: none });
    expect(missing).to.deep.equal({ packfile: { objects: 1, bytes: 5000 }, state: { objects: 1, bytes: 600 } });
    await expectCopied();
  });

  describe('reports and leaves as it is what differs', () => {
    it('in its size or header', async () => {
      const [longer, other] = [await source.add('packfile', 2000), newRef('state')];
      await destination.set(longer, makeObject('packfile', 1999));
      await source.set(other, makeObject('state', 300));
      const bytes = makeObject('state', 300);
      bytes[12] = 1;
      await destination.set(other, bytes);
      const { differing, present } = await copy();
      expect(differing).to.deep.equal([
        { ref: longer, what: 'size', text: 'it has 2000 bytes in the source, and 1999 in the destination' },
        {
          ref: other,
          what: 'header',
          text:
            'it begins with 5f4b4c4f5345545f0300000000010100 in the source, and with 5f4b4c4f5345545f0300000001010100 in ' +
            'the destination',
        },
      ]);
      expect(present).to.deep.equal({ packfile: 1, state: 1 });
      expect((await getAll(destination, longer)).length).to.equal(1999);
      expect((await copy({ compareAll: false })).differing).to.deep.equal([]);
    });

    it('where another object comes first', async () => {
      const ref = await source.add('packfile', 2000);
      destination.before = (operation) => {
        if (operation === 'put') return destination.set(ref, makeObject('packfile', 500));
      };
      const { differing, missing, copied } = await copy();
      expect(differing.map(({ ref: { mac }, what }) => [mac, what])).to.deep.equal([[ref.mac, 'bytes']]);
      expect({ missing, copied }).to.deep.equal({
        missing: { packfile: none, state: none },
        copied: { packfile: none, state: none },
      });
    });

    it('where the destination does not take the object, and copies the others', async () => {
      const bad = newRef('packfile');
      await source.set(bad, makeObject('packfile', 1000));
      source.bytesRead = ({ mac }, bytes) => (mac === bad.mac ? bytes.subarray(0, 20) : bytes);
      const good = await source.add('packfile');
      const { differing, missing } = await copy();
      expect(differing.map(({ ref: { mac }, what }) => [mac, what])).to.deep.equal([[bad.mac, 'refused']]);
      expect(missing.packfile).to.deep.equal({ objects: 1, bytes: 1000 });
      await expectCopied(good);
    });

    it('where the destination gives back other bytes, if they are read back', async () => {
      const ref = await source.add('packfile', 2000);
      destination.bytesRead = (_, bytes) => Buffer.from(bytes).reverse();
      const { differing, missing } = await copy({ verify: true });
      expect(differing).to.deep.equal([
        { ref, what: 'bytes', text: 'the destination gives back other bytes than it was given' },
      ]);
      expect(missing.packfile).to.deep.equal(none);
    });
  });

  it('reads back what it has copied, and nothing else, if told', async () => {
    const there = await source.add('packfile');
    await destination.set(there, await getAll(source, there));
    const refs = [await source.add('packfile', 100_000), await source.add('state')];
    await copy({ verify: true, compareAll: false });
    expect(destination.namesOf('get')).to.deep.equal(refs.map(nameOf));
    expect(source.openReads + destination.openReads).to.equal(0);
  });

  describe('where an object is deleted from the source meanwhile', () => {
    it('copies no state of that list, and begins again', async () => {
      const gone = await source.add('packfile', 1000, 1);
      const old = await source.add('state');
      const packfile = await source.add('packfile', 1000, 2);
      let later: ObjectRef | undefined;
      source.before = async (operation, { mac }) => {
        if (operation !== 'get' || mac !== gone.mac) return;
        // What a maintenance does: a new state replaces one, and then a packfile is deleted.
        later = await source.add('state');
        await source.remove(old);
        await source.remove(gone);
      };
      const { copied, missing } = await copy({ jobs: 1 });
      expect(later).to.not.equal(undefined);
      await expectCopied(packfile, later as ObjectRef);
      expect(destination.namesOf('put')).to.deep.equal([nameOf(packfile), nameOf(later as ObjectRef)]);
      expect({ copied: copied.packfile.objects, missing: missing.packfile }).to.deep.equal({
        copied: 1,
        missing: none,
      });
    });

    it('also while it is read', async () => {
      const gone = await source.add('packfile');
      const state = await source.add('state');
      source.bytesRead = async function* ({ mac }, bytes) {
        if (mac === gone.mac) await source.remove(gone);
        yield bytes.subarray(0, 100);
        if (mac === gone.mac) throw new StoreError('not_found', 'no such packfile');
        yield bytes.subarray(100);
      };
      let bytes = 0;
      await copy({ on: { progressed: (more) => (bytes += more) } });
      await expectCopied(state);
      expect(bytes).to.equal(1000);
    });

    it('gives up when that goes on', async () => {
      source.before = async (operation, ref) => {
        if (operation !== 'get') return;
        await source.add(ref.kind);
        await source.remove(ref);
      };
      await source.add('packfile');
      await source.add('state');
      const { message } = await expectFailure(copy(), 'unavailable');
      expect(message).to.include('try again when its maintenance is over');
      await expectCopied();
    });

    it('copies what is put meanwhile at the next run', async () => {
      const first = await source.add('state');
      let second: ObjectRef | undefined;
      destination.before = async (operation) => {
        if (operation === 'put') second ??= await source.add('state');
      };
      await copy();
      await expectCopied(first);
      await copy();
      await expectCopied(first, second as ObjectRef);
    });
  });

  describe('where something fails', () => {
    it('tries again what may be only for a moment', async () => {
      const ref = await source.add('packfile', 3000);
      const codes = ['unavailable', 'too_slow', 'too_many_requests'] as const;
      let failures = 0;
      destination.before = (operation) => {
        const code = codes[failures];
        if (operation !== 'put' || code === undefined) return;
        failures++;
        throw new StoreError(code, 'in a moment');
      };
      source.bytesRead = async function* (_, bytes) {
        yield bytes.subarray(0, 1000);
        if (failures++ === 3) throw new StoreError('unavailable', 'cut off');
        yield bytes.subarray(1000);
      };
      let bytes = 0;
      const { differing } = await copy({ on: { progressed: (more) => (bytes += more) } });
      expect(differing).to.deep.equal([]);
      expect(bytes).to.equal(3000);
      await expectCopied(ref);
    });

    it('does not take an object for damaged whose store was away, and is back', async () => {
      const refs = [await source.add('packfile'), await source.add('state')];
      const config = source.config.bind(source);
      let isAway = false;
      // As one that waits until the store can be reached again.
      source.config = (context) => ((isAway = false), config(context));
      source.before = (operation) => {
        if (operation === 'get' && isAway) throw new StoreError('unavailable', 'no connection');
      };
      const { differing } = await copy({ on: { planned: () => (isAway = true) } });
      expect(differing).to.deep.equal([]);
      await expectCopied(...refs);
    });

    it('reports a single object that can not be read, and copies the others', async () => {
      const [unreadable, cutOff] = [await source.add('packfile', 1000, 1), await source.add('packfile', 1000, 2)];
      const others = [await source.add('packfile', 1000, 3), await source.add('state')];
      source.before = (operation, { mac }) => {
        if (operation === 'get' && mac === unreadable.mac) throw new StoreError('unavailable', 'a bad sector');
      };
      source.bytesRead = async function* ({ mac }, bytes) {
        if (mac === cutOff.mac) throw new StoreError('internal', 'it became shorter');
        yield bytes;
      };
      const { differing, missing, copied } = await copy({ jobs: 1 });
      expect(differing).to.have.deep.members([
        { ref: unreadable, what: 'unreadable', text: "the source can't read it: a bad sector" },
        { ref: cutOff, what: 'unreadable', text: "the source can't read it: it became shorter" },
      ]);
      expect(missing.packfile).to.deep.equal({ objects: 2, bytes: 2000 });
      expect(copied.packfile.objects).to.equal(1);
      source.before = () => undefined;
      source.bytesRead = (_, bytes) => bytes;
      await expectCopied(...others);
    });

    it('ends once its transfers have, with the error of a store that can not be reached', async () => {
      await Promise.all(Array.from({ length: 10 }, () => source.add('packfile')));
      const config = source.config.bind(source);
      let isReachable = true;
      source.config = (context) => (isReachable ? config(context) : Promise.reject(new StoreError('unavailable', 'x')));
      source.before = (operation) => {
        if (operation !== 'get') return;
        isReachable = false;
        throw new StoreError('unavailable', 'unplugged');
      };
      const { message } = await expectFailure(copy({ jobs: 2 }), 'unavailable');
      expect(message).to.equal('unplugged');
      expect(new Set(source.namesOf('get')).size).to.be.below(10);
    });

    it('ends with the error of a destination that is full', async () => {
      await Promise.all(Array.from({ length: 10 }, () => source.add('packfile')));
      let puts = 0;
      destination.before = (operation) => {
        if (operation === 'put' && ++puts > 3) throw new StoreError('no_space', 'full');
      };
      const copied: ObjectRef[] = [];
      await expectFailure(copy({ jobs: 1, on: { copied: (ref) => copied.push(ref) } }), 'no_space');
      await expectCopied(...copied);
      expect(copied).to.have.lengthOf(3);
      expect(puts).to.be.below(10);
    });

    it('ends when its caller is gone, with no transfer running', async () => {
      await Promise.all(Array.from({ length: 10 }, () => source.add('packfile', 100_000)));
      const caller = new AbortController();
      source.bytesRead = async function* (_, bytes) {
        yield bytes.subarray(0, 50_000);
        caller.abort();
        yield bytes.subarray(50_000);
      };
      await expectFailure(copy({ jobs: 3 }, { signal: caller.signal }), 'canceled');
      expect(source.openReads).to.equal(0);
      expect(source.namesOf('get')).to.have.lengthOf(3);
      await expectCopied();
    });
  });

  it('refuses another store, and one that may not be written', async () => {
    await source.add('packfile');
    destination.access = 'read-only';
    await expectFailure(copy(), 'permission_denied');
    destination = await HookedStore.create(randomBytes(100));
    await expectFailure(copy(), 'invalid_argument');
    await expectCopied();
  });

  it('needs no more of the destination than to put, where that is all that it allows', async () => {
    const there = await source.add('packfile');
    await destination.set(there, await getAll(source, there));
    const refs = [await source.add('packfile'), await source.add('state')];
    destination.access = 'write-only';
    destination.before = (operation, { kind }) => {
      if (['get', 'stat'].includes(operation) && kind === 'packfile')
        throw new StoreError('permission_denied', 'not readable');
    };
    expect((await copy()).differing).to.deep.equal([]);
    destination.before = () => undefined;
    await expectCopied(there, ...refs);
  });
});
