import { expect } from 'chai';
import { canceled, StoreError } from '../../../src/core/errors.js';
import { objectKinds, type ObjectKind, type ObjectRef } from '../../../src/core/object.js';
import { header, inChunks, makeObject, newRef, seededBytes } from '../../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../../support/store.js';
import { untilClean } from '../../wire/support/folders.js';
import { maxObjectBytes, type Subject } from '../target.js';
import { folderOf } from './on-disk.js';

const MiB = 1024 * 1024;

/** Puts that fail, and leave nothing behind. */
export function describeRefusedPuts(subject: Subject): void {
  describe('a put that fails', () => {
    describeInvalid(subject);
    describeTooLarge(subject);
    describeBroken(subject);
  });
}

/** Expects that nothing of an object is left, and that its name can be used. */
async function expectNothingOf(subject: Subject, ref: ObjectRef): Promise<void> {
  const { store, target } = subject;
  await expectFailure(store.get(ref, undefined, ctx), 'not_found');
  await expectFailure(store.stat(ref, ctx), 'not_found');
  expect(await listAll(store, ref.kind)).to.not.include(ref.mac);
  // A client may get the error before the store has removed its temporary file.
  if (subject.onDisk) await untilClean(folderOf(target));
  const bytes = makeObject(ref.kind, 1000, 'after');
  await putAll(store, ref, bytes);
  expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
}

function describeInvalid(subject: Subject): void {
  for (const kind of objectKinds) {
    it(`refuses a ${kind} that is empty, too short, or has another header`, async () => {
      const { store } = subject;
      const others = objectKinds.filter((other) => other !== kind);
      const bad = [
        Buffer.alloc(0),
        header(kind).subarray(0, 8),
        makeObject(kind, 47),
        seededBytes(1000, 'noise'),
        seededBytes(2 * MiB, 'noise').subarray(0, kind === 'lock' ? 1000 : undefined),
        ...others.map((other) => makeObject(other, 1000)),
        Buffer.concat([Buffer.from('_kloset_'), makeObject(kind, 100).subarray(8)]),
      ];
      for (const bytes of bad) {
        const ref = newRef(kind);
        for (const chunkSize of [7, 64 * 1024]) {
          const body = inChunks(bytes.subarray(0, chunkSize * 1000), chunkSize);
          await expectFailure(store.put(ref, body, ctx), 'invalid_argument');
          await expectFailure(store.get(ref, undefined, ctx), 'not_found');
        }
      }
      expect(await listAll(store, kind)).to.deep.equal([]);
      await expectNothingOf(subject, newRef(kind));
    });

    it(`keeps a ${kind} that is there when something else is put in its place`, async () => {
      const { store } = subject;
      const ref = newRef(kind);
      const bytes = makeObject(kind, 1000);
      await putAll(store, ref, bytes);
      for (const bad of [Buffer.alloc(0), makeObject(kind, 47), seededBytes(1000, 'noise')]) {
        await expectFailure(store.put(ref, inChunks(bad), ctx), 'invalid_argument');
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
      }
    });
  }

  it('need not read its body to the end', async () => {
    const { store } = subject;
    const ref = newRef('packfile');
    let asked = 0;
    async function* noise(): AsyncGenerator<Uint8Array> {
      for (; asked < 128; asked++) yield Buffer.alloc(maxObjectBytes / 128);
    }
    await expectFailure(store.put(ref, noise(), ctx), 'invalid_argument');
    if (!subject.hides('progress')) expect(asked).to.be.lessThan(128);
    await expectNothingOf(subject, ref);
  });
}

function describeTooLarge(subject: Subject): void {
  for (const kind of objectKinds) {
    const limit = kind === 'lock' ? 64 * 1024 : maxObjectBytes;

    it(`refuses a ${kind} of one byte more than the limit`, async () => {
      const { store, seenAs } = subject;
      const ref = newRef(kind);
      await expectFailure(store.put(ref, inChunks(makeObject(kind, limit + 1)), ctx), seenAs('too_large'));
      await expectNothingOf(subject, ref);
    });
  }

  it('keeps a lock that is there when a larger one is refused', async () => {
    const { store, seenAs } = subject;
    const ref = newRef('lock');
    const old = makeObject('lock', 124, 'old');
    await putAll(store, ref, old);
    await expectFailure(store.put(ref, inChunks(makeObject('lock', 70_000)), ctx), seenAs('too_large'));
    expect((await getAll(store, ref)).equals(old)).to.equal(true);
  });
}

/** All but the last 100 bytes of an object, and then an error. */
async function* broken(kind: ObjectKind, size: number, error: Error): AsyncGenerator<Uint8Array> {
  yield* inChunks(makeObject(kind, size).subarray(0, size - 100));
  throw error;
}

function describeBroken(subject: Subject): void {
  const errors = {
    'with canceled, as when its caller is gone,': canceled(),
    'with another StoreError': new StoreError('too_slow', 'the upload is too slow'),
    'with any other error': new Error('the body broke'),
  };
  for (const kind of objectKinds) {
    for (const [how, error] of Object.entries(errors)) {
      it(`fails as the body of a ${kind} does ${how}`, async () => {
        const ref = newRef(kind);
        const body = broken(kind, kind === 'lock' ? 1000 : 2 * MiB, error);
        const thrown = await subject.store.put(ref, body, ctx).then(
          () => undefined,
          (caught: unknown) => caught,
        );
        expect(thrown).to.be.an('error');
        if (error instanceof StoreError) expect(thrown).to.include({ code: error.code, message: error.message });
        await expectNothingOf(subject, ref);
      });
    }

    it(`keeps a ${kind} that is there when the body of the next one fails`, async () => {
      const { store } = subject;
      const ref = newRef(kind);
      // Other bytes of a packfile or state may be refused before their end.
      const old = makeObject(kind, 1000, kind === 'lock' ? 'old' : undefined);
      await putAll(store, ref, old);
      await expectFailure(store.put(ref, broken(kind, 1000, canceled()), ctx), 'canceled');
      expect((await getAll(store, ref)).equals(old)).to.equal(true);
    });
  }
}
