import { expect } from 'chai';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { objectKinds } from '../../../src/core/object.js';
import { deferred } from '../../support/deferred.js';
import { header, inChunks, makeObject, newRef, seededBytes } from '../../support/objects.js';
import { otherDisk } from '../../support/other-disk.js';
import { ctx, eventually, expectFailure, getAll, listAll, putAll } from '../../support/store.js';
import { temporaries, untilClean } from '../../wire/support/folders.js';
import { maxObjectBytes, type Subject } from '../target.js';
import { fileOf, folderOf } from './on-disk.js';

const MiB = 1024 * 1024;

export function describePut(subject: Subject): void {
  describe('put', () => {
    for (const kind of objectKinds) {
      it(`stores a ${kind}, which get, stat and list then give`, async () => {
        const { store } = subject;
        const ref = newRef(kind);
        const bytes = makeObject(kind, 2000);
        const created = await putAll(store, ref, bytes);
        if (!subject.hides('created')) expect(created).to.equal(true);
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
        expect((await store.stat(ref, ctx)).size).to.equal(2000);
        expect(await listAll(store, kind)).to.deep.equal([ref.mac]);
      });
    }

    it('takes the shortest object, and the header of old stores', async () => {
      const { store } = subject;
      const ref = newRef('state');
      const bytes = Buffer.concat([header('state', '_PLAKAR_'), seededBytes(32, 'mac')]);
      await putAll(store, ref, bytes);
      expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
    });

    it('takes an object byte by byte', async () => {
      const { store } = subject;
      const ref = newRef('packfile');
      const bytes = makeObject('packfile', 300);
      await putAll(store, ref, bytes, 1);
      expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
    });

    for (const kind of ['packfile', 'state'] as const) {
      it(`takes a ${kind} of just the limit`, async () => {
        const { store } = subject;
        const ref = newRef(kind);
        await putAll(store, ref, makeObject(kind, maxObjectBytes));
        expect((await store.stat(ref, ctx)).size).to.equal(maxObjectBytes);
      });

      it(`succeeds again with the same bytes of a ${kind}, and changes nothing`, async () => {
        const { store } = subject;
        const ref = newRef(kind);
        const bytes = makeObject(kind, 1.5 * MiB);
        await putAll(store, ref, bytes);
        const before = await store.stat(ref, ctx);
        const created = await putAll(store, ref, bytes, 10_000);
        if (!subject.hides('created')) expect(created).to.equal(false);
        expect(await store.stat(ref, ctx)).to.deep.equal(before);
      });

      it(`refuses other bytes for a ${kind} that is there, and leaves the old ones`, async () => {
        const { store } = subject;
        const ref = newRef(kind);
        const bytes = makeObject(kind, 1.5 * MiB);
        await putAll(store, ref, bytes);
        const changed = Buffer.from(bytes);
        changed[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        const shorter = bytes.subarray(0, bytes.length - 1);
        const longer = Buffer.concat([bytes, Buffer.alloc(1)]);
        for (const other of [
          changed,
          shorter,
          longer,
          makeObject(kind, 48, 'other'),
          makeObject(kind, 2 * MiB, 'other'),
        ]) {
          await expectFailure(store.put(ref, inChunks(other), ctx), 'already_exists');
        }
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
      });
    }

    it('takes a lock of 64 KiB', async () => {
      const ref = newRef('lock');
      await putAll(subject.store, ref, makeObject('lock', 64 * 1024));
      expect((await subject.store.stat(ref, ctx)).size).to.equal(64 * 1024);
    });

    it('replaces a lock, also by the same bytes', async () => {
      const { store } = subject;
      const ref = newRef('lock');
      await putAll(store, ref, makeObject('lock', 124, 'first'));
      const second = makeObject('lock', 130, 'second');
      for (let i = 0; i < 2; i++) {
        expect(await putAll(store, ref, second), 'created').to.equal(true);
        expect((await getAll(store, ref)).equals(second)).to.equal(true);
        expect(await listAll(store, 'lock')).to.deep.equal([ref.mac]);
      }
    });

    for (const kind of ['packfile', 'state'] as const) {
      it(`shows nothing of a ${kind} before it is complete`, async () => {
        const { store, target } = subject;
        const ref = newRef(kind);
        const bytes = makeObject(kind, 2 * MiB);
        const rest = deferred();
        const halfTaken = deferred();
        async function* body(): AsyncGenerator<Uint8Array> {
          yield* inChunks(bytes.subarray(0, MiB));
          halfTaken.resolve();
          await rest.promise;
          yield* inChunks(bytes.subarray(MiB));
        }
        const put = store.put(ref, body(), ctx);
        await halfTaken.promise;
        if (subject.onDisk && !subject.hides('incompleteUploads')) {
          await eventually(async () => (await temporaries(folderOf(target))).length > 0, 'the upload is being written');
        }
        expect(await listAll(store, kind)).to.deep.equal([]);
        await expectFailure(store.get(ref, undefined, ctx), 'not_found');
        await expectFailure(store.stat(ref, ctx), 'not_found');
        rest.resolve();
        await put;
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
      });
    }

    if (subject.onDisk) describeOtherDisk(subject);
  });
}

function describeOtherDisk(subject: Subject): void {
  describe('into a bucket that is a link to another disk', () => {
    const elsewhere = otherDisk();

    for (const kind of ['packfile', 'state'] as const) {
      it(`stores a ${kind} there, once and for all, and leaves nothing else`, async () => {
        const { store, target } = subject;
        const ref = newRef(kind);
        const bucket = dirname(fileOf(target, ref));
        await rm(bucket, { recursive: true, force: true });
        await mkdir(dirname(bucket), { recursive: true });
        const folder = await mkdtemp(join(elsewhere(), kind));
        await symlink(folder, bucket);
        const bytes = makeObject(kind, 3 * MiB);
        await putAll(store, ref, bytes);
        expect(await readdir(folder)).to.deep.equal([ref.mac]);
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
        expect(await listAll(store, kind)).to.deep.equal([ref.mac]);
        await putAll(store, ref, bytes);
        await expectFailure(putAll(store, ref, makeObject(kind, 3 * MiB, 'other')), 'already_exists');
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
        await untilClean(folderOf(target));
        expect(await readdir(folder)).to.deep.equal([ref.mac]);
      });
    }
  });
}
