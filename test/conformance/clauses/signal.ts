import { expect } from 'chai';
import { setImmediate } from 'node:timers/promises';
import { canceled, hasCode } from '../../../src/core/errors.js';
import { objectKinds, type ObjectRef } from '../../../src/core/object.js';
import type { OpContext, Store } from '../../../src/core/store.js';
import { inChunks, makeObject, newRef } from '../../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll, readAll } from '../../support/store.js';
import { untilClean } from '../../wire/support/folders.js';
import { operations, type Operation, type Subject } from '../target.js';
import { folderOf } from './on-disk.js';

const MiB = 1024 * 1024;

/** Each operation, on an object that exists; a put, on one that does not. */
const work: Readonly<Record<Operation, (store: Store, on: Objects, signal: OpContext) => Promise<unknown>>> = {
  config: (store, _on, own) => store.config(own),
  list: async (store, _on, own) => {
    for await (const batch of store.list('state', own)) if (batch.length < 0) break;
  },
  stat: (store, { present }, own) => store.stat(present, own),
  get: async (store, { present }, own) => readAll(await store.get(present, undefined, own)),
  put: (store, { absent, bytes }, own) => store.put(absent, inChunks(bytes), own),
  delete: (store, { present }, own) => store.delete(present, own),
};

interface Objects {
  readonly present: ObjectRef;
  readonly absent: ObjectRef;
  readonly bytes: Buffer;
}

/** Callers that go away: the operation succeeds or fails with `canceled`, and the store works as before. */
export function describeSignal(subject: Subject): void {
  describe('a signal', () => {
    let on: Objects;

    beforeEach(async () => {
      on = { present: newRef('state'), absent: newRef('state'), bytes: makeObject('state', 1000) };
      await putAll(subject.store, on.present, on.bytes);
    });

    describeAborted(subject, () => on);
    describeAborting(subject);
    describeWaiting(subject, () => on);
  });
}

/** Whether an operation succeeded. False if it failed with `canceled`; fails as it did otherwise. */
async function isDone(result: Promise<unknown>): Promise<boolean> {
  try {
    await result;
    return true;
  } catch (error) {
    if (hasCode(error, 'canceled')) return false;
    throw error;
  }
}

function describeAborted(subject: Subject, objects: () => Objects): void {
  for (const operation of operations) {
    for (const when of ['before it begins', 'as soon as it has begun'] as const) {
      it(`that aborts ${when} makes a ${operation} succeed or fail with canceled`, async () => {
        const { store, target } = subject;
        const on = objects();
        const abort = new AbortController();
        if (when === 'before it begins') abort.abort();
        const result = work[operation](store, on, { signal: abort.signal });
        abort.abort();
        const done = await isDone(result);
        const ref = operation === 'put' ? on.absent : on.present;
        const got = await getAll(store, ref).catch((error: unknown) => {
          if (!hasCode(error, 'not_found')) throw error;
        });
        if (got !== undefined) expect(got.equals(on.bytes)).to.equal(true);
        // A put or delete that was canceled may have been done.
        const isChange = operation === 'put' || operation === 'delete';
        if (done || !isChange) expect(got !== undefined).to.equal(operation !== 'delete');
        if (subject.onDisk) await untilClean(folderOf(target));
        const next = newRef('state');
        await putAll(store, next, on.bytes);
        expect(await listAll(store, 'state')).to.include(next.mac);
      });
    }
  }
}

function describeAborting(subject: Subject): void {
  for (const kind of objectKinds) {
    it(`that aborts during a put of a ${kind}, whose body then fails, leaves nothing behind`, async () => {
      const { store, target } = subject;
      const ref = newRef(kind);
      const bytes = makeObject(kind, kind === 'lock' ? 1000 : 2 * MiB);
      const abort = new AbortController();
      async function* body(): AsyncGenerator<Uint8Array> {
        yield* inChunks(bytes.subarray(0, bytes.length - 100));
        abort.abort();
        throw canceled(abort.signal.reason);
      }
      await expectFailure(store.put(ref, body(), { signal: abort.signal }), 'canceled');
      await expectFailure(store.get(ref, undefined, ctx), 'not_found');
      expect(await listAll(store, kind)).to.not.include(ref.mac);
      if (subject.onDisk) await untilClean(folderOf(target));
      await putAll(store, ref, bytes);
      expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
    });
  }

  it('that aborts during a get never makes a part look like the whole', async () => {
    const { store } = subject;
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 7 * MiB);
    await putAll(store, ref, bytes);
    const abort = new AbortController();
    const chunks: Buffer[] = [];
    const reading = async (): Promise<void> => {
      const read = await store.get(ref, undefined, { signal: abort.signal });
      try {
        for await (const chunk of read.data instanceof Uint8Array ? [read.data] : read.data) {
          chunks.push(Buffer.from(chunk));
          abort.abort();
        }
      } finally {
        read.release();
      }
    };
    if (await isDone(reading())) expect(Buffer.concat(chunks).equals(bytes)).to.equal(true);
    expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
  });

  it('that aborts during a list never makes a part look like the whole', async () => {
    const { store } = subject;
    const refs = Array.from({ length: 30 }, () => newRef('packfile'));
    for (const ref of refs) await putAll(store, ref, makeObject('packfile', 100));
    const abort = new AbortController();
    const listed: string[] = [];
    const listing = async (): Promise<void> => {
      for await (const batch of store.list('packfile', { signal: abort.signal })) {
        listed.push(...batch);
        abort.abort();
      }
    };
    const macs = refs.map(({ mac }) => mac);
    if (await isDone(listing())) expect(listed).to.have.members(macs);
    expect(await listAll(store, 'packfile')).to.have.members(macs);
  });
}

/** For targets whose operations can be made to wait. */
function describeWaiting(subject: Subject, objects: () => Objects): void {
  it('ends every operation that waits', async function () {
    const { store, target } = subject;
    if (target.block === undefined) return;
    const on = objects();
    const { operations: waiting, unblock } = await target.block();
    for (const operation of waiting) {
      const abort = new AbortController();
      const result = isDone(work[operation](store, on, { signal: abort.signal }));
      // Let it begin to wait.
      await setImmediate();
      abort.abort();
      expect(await result, operation).to.equal(false);
    }
    await unblock();
    expect((await getAll(store, on.present)).equals(on.bytes)).to.equal(true);
    await putAll(store, on.absent, on.bytes);
  });
}
