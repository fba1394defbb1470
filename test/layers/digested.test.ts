import { expect } from 'chai';
import type { Digest, DigestRecorder } from '../../src/core/digests.js';
import { StoreError } from '../../src/core/errors.js';
import type { ObjectRef } from '../../src/core/object.js';
import { Digested } from '../../src/layers/digested.js';
import { deferred } from '../support/deferred.js';
import { digestOf } from '../support/digests.js';
import { MemoryStore } from '../support/memory-store.js';
import { inChunks, makeObject, newRef } from '../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../support/store.js';

describe('Digested', () => {
  let inner: MemoryStore;
  let store: Digested;
  let recorded: [ObjectRef, Digest | 'deleted'][];
  let warnings: object[];
  /** What recording waits for. */
  let beforeRecord: () => Promise<void>;

  beforeEach(() => {
    inner = new MemoryStore(Buffer.alloc(48), 1e6);
    recorded = [];
    warnings = [];
    beforeRecord = async () => undefined;
    const recorder: DigestRecorder = {
      record: async (ref, digest) => {
        await beforeRecord();
        recorded.push([ref, digest]);
      },
      recordDelete: async (ref) => {
        await beforeRecord();
        recorded.push([ref, 'deleted']);
      },
      close: async () => undefined,
    };
    store = new Digested(inner, { recorder, name: 'blue', log: { warn: (fields) => void warnings.push(fields) } });
  });

  const full = async (): Promise<never> => {
    throw new StoreError('no_space', 'the disk is full');
  };

  it('records the digests of packfiles and states from the bytes that are put, and nothing of locks', async () => {
    const expected: [ObjectRef, Digest][] = [];
    for (const kind of ['packfile', 'state'] as const) {
      const [ref, bytes] = [newRef(kind), makeObject(kind, 100_000, kind)];
      expect(await putAll(store, ref, bytes, 777)).to.equal(true);
      expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
      expected.push([ref, digestOf(bytes)]);
    }
    const lock = newRef('lock');
    await putAll(store, lock, makeObject('lock', 100));
    await store.delete(lock, ctx);
    expect(recorded).to.deep.equal(expected);
  });

  it('acknowledges a put only when its digest is recorded', async () => {
    const [begun, written] = [deferred(), deferred()];
    beforeRecord = () => {
      begun.resolve();
      return written.promise;
    };
    let isAcknowledged = false;
    const put = putAll(store, newRef('state'), makeObject('state', 100)).then(() => (isAcknowledged = true));
    await begun.promise;
    expect(await listAll(inner, 'state'), 'it is stored by then').to.have.length(1);
    expect(isAcknowledged).to.equal(false);
    written.resolve();
    await put;
  });

  it('fails where a digest can’t be recorded; the object stays, and a repeated put records it', async () => {
    const [ref, bytes] = [newRef('packfile'), makeObject('packfile', 1000)];
    beforeRecord = full;
    const { message } = await expectFailure(putAll(store, ref, bytes), 'no_space');
    expect(message).to.include("its digest can't be recorded").and.include('try again');
    beforeRecord = async () => undefined;
    expect(await putAll(store, ref, bytes)).to.equal(false);
    expect(recorded).to.deep.equal([[ref, digestOf(bytes)]]);
  });

  it('records nothing of puts that fail', async () => {
    const ref = newRef('packfile');
    await putAll(inner, ref, makeObject('packfile', 100));
    await expectFailure(putAll(store, ref, makeObject('packfile', 100, 'other')), 'already_exists');
    await expectFailure(putAll(store, newRef('state'), makeObject('packfile', 100)), 'invalid_argument');
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield* inChunks(makeObject('state', 100));
      throw new StoreError('canceled', 'the client is gone');
    }
    await expectFailure(store.put(newRef('state'), broken(), ctx), 'canceled');
    expect(recorded).to.deep.equal([]);
  });

  it('records a delete before it is done', async () => {
    const ref = newRef('state');
    await putAll(inner, ref, makeObject('state', 100));
    beforeRecord = async () => void expect(await listAll(inner, 'state')).to.have.length(1);
    await store.delete(ref, ctx);
    expect(recorded).to.deep.equal([[ref, 'deleted']]);
    expect(await listAll(inner, 'state')).to.deep.equal([]);
  });

  it('deletes on a full disk all the same, and says that it couldn’t record that', async () => {
    const ref = newRef('state');
    await putAll(inner, ref, makeObject('state', 100));
    beforeRecord = full;
    await store.delete(ref, ctx);
    expect(await listAll(inner, 'state')).to.deep.equal([]);
    expect(warnings).to.deep.equal([{ store: 'blue', code: 'no_space', ...ref }]);
  });
});
