import { expect } from 'chai';
import { canceled, StoreError } from '../../src/core/errors.js';
import type { ObjectRef } from '../../src/core/object.js';
import type { ObjectRead } from '../../src/core/store.js';
import { MirroredReads } from '../../src/layers/mirrored-reads.js';
import { deferred } from '../support/deferred.js';
import { MemoryStore } from '../support/memory-store.js';
import { inChunks, makeObject, newRef } from '../support/objects.js';
import { ctx, expectFailure, getAll, putAll } from '../support/store.js';

describe('A store whose reads fall back to its mirror', () => {
  const bytes = makeObject('packfile', 1000);
  let inner: MemoryStore;
  let mirror: MemoryStore;
  let store: MirroredReads;
  let ref: ObjectRef;
  /** What was told of reads from the mirror. */
  let told: string[];

  beforeEach(() => {
    inner = new MemoryStore(Buffer.alloc(48), 10_000);
    mirror = new MemoryStore(Buffer.alloc(48), 10_000);
    told = [];
    ref = newRef('packfile');
    const answered = (of: ObjectRef, loss: string): void => {
      expect(of).to.deep.equal(ref);
      told.push(loss);
    };
    store = new MirroredReads(inner, { mirror, answered });
  });

  /** A read that yields some bytes, and then fails. */
  function breaking(data: Uint8Array, after: number, error: Error, release = (): void => undefined): ObjectRead {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield* inChunks(data.subarray(0, after), 100);
      throw error;
    }
    return { objectSize: data.length, length: data.length, data: chunks(), release };
  }

  it('has an object that is missing, or that can not be read, from the mirror, whole or a range of it', async () => {
    await putAll(mirror, ref, bytes);
    expect(await getAll(store, ref)).to.deep.equal(bytes);
    expect(await getAll(store, ref, { offset: 10, length: 20 })).to.deep.equal(bytes.subarray(10, 30));
    inner.get = () => Promise.reject(new StoreError('unavailable', 'input/output error'));
    expect(await getAll(store, ref)).to.deep.equal(bytes);
    expect(told).to.deep.equal(['is missing', 'is missing', "can't be read"]);
  });

  it('has one that is shorter than in the mirror from there: whole, and ranges that go beyond its end', async () => {
    await putAll(inner, ref, bytes.subarray(0, 500));
    await putAll(mirror, ref, bytes);
    expect(await getAll(store, ref, { offset: 100, length: 400 })).to.deep.equal(bytes.subarray(100, 500));
    expect(told).to.deep.equal([]);
    expect(await getAll(store, ref, { offset: 400, length: 200 })).to.deep.equal(bytes.subarray(400, 600));
    expect(await getAll(store, ref)).to.deep.equal(bytes);
    expect(told).to.deep.equal(['is cut off', 'is cut off']);
  });

  it('has the rest of one from the mirror that breaks off while it is read', async () => {
    await putAll(mirror, ref, bytes);
    inner.get = async () => breaking(bytes, 300, new StoreError('internal', 'the object became shorter'));
    expect(await getAll(store, ref)).to.deep.equal(bytes);
    expect(told).to.deep.equal(["can't be read"]);
  });

  it('gives the error of the store where the mirror does not have the object either, or another one', async () => {
    await expectFailure(getAll(store, ref), 'not_found');
    const broken = new StoreError('unavailable', 'input/output error');
    inner.get = () => Promise.reject(broken);
    expect(await getAll(store, ref).catch((error: unknown) => error)).to.equal(broken);
    await putAll(mirror, ref, bytes.subarray(0, 900));
    inner.get = async () => breaking(bytes, 300, broken);
    expect(await getAll(store, ref).catch((error: unknown) => error)).to.equal(broken);
  });

  it('asks the mirror for the size of an object once, and for nothing else of one that is whole', async () => {
    await putAll(inner, ref, bytes);
    await putAll(mirror, ref, bytes);
    let asked = 0;
    const stat = mirror.stat.bind(mirror);
    mirror.stat = (of) => (asked++, stat(of));
    mirror.get = () => Promise.reject(new Error('nothing is missing'));
    for (let i = 0; i < 3; i++) expect(await getAll(store, ref)).to.deep.equal(bytes);
    expect(await getAll(store, ref, { offset: 900, length: 500 })).to.deep.equal(bytes.subarray(900));
    expect(asked).to.equal(1);
    expect(told).to.deep.equal([]);
  });

  it('does not wait for a mirror that can not be reached twice, and reads what is there without it', async () => {
    await putAll(inner, ref, bytes);
    let asked = 0;
    mirror.stat = () => (asked++, Promise.reject(new StoreError('unavailable', 'no answer')));
    for (let i = 0; i < 3; i++) expect(await getAll(store, ref)).to.deep.equal(bytes);
    expect(asked).to.equal(1);
  });

  it('reads its own copy only where that is asked for', async () => {
    await putAll(mirror, ref, bytes);
    await expectFailure(store.get(ref, undefined, { ...ctx, ownCopy: true }), 'not_found');
    expect(told).to.deep.equal([]);
  });

  it('gives the error of the store where the mirror does not answer in time, and releases an answer that comes later', async () => {
    await putAll(mirror, ref, bytes);
    const late = deferred();
    const released = deferred();
    mirror.get = async () => {
      await late.promise;
      return breaking(bytes, 0, new Error('never read'), () => released.resolve());
    };
    const hasty = new MirroredReads(inner, { mirror, answered: () => undefined, limitMs: 5 });
    await expectFailure(getAll(hasty, ref), 'not_found');
    late.resolve();
    await released.promise;
  });

  it('leaves alone locks, reads that were canceled, and what is no read', async () => {
    const lock = newRef('lock');
    await putAll(mirror, lock, makeObject('lock', 100));
    await expectFailure(getAll(store, lock), 'not_found');
    await putAll(mirror, ref, bytes);
    await expectFailure(store.stat(ref, ctx), 'not_found');
    inner.get = () => Promise.reject(canceled());
    await expectFailure(getAll(store, ref), 'canceled');
    expect(told).to.deep.equal([]);
  });
});
