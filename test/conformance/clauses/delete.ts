import { expect } from 'chai';
import { rename } from 'node:fs/promises';
import { objectKinds } from '../../../src/core/object.js';
import { makeObject, newRef } from '../../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../../support/store.js';
import type { Subject } from '../target.js';
import { folderOf } from './on-disk.js';

export function describeDelete(subject: Subject): void {
  describe('delete', () => {
    for (const kind of objectKinds) {
      it(`removes a ${kind}, whose name can be used again`, async () => {
        const { store } = subject;
        const ref = newRef(kind);
        await putAll(store, ref, makeObject(kind, 100, 'one'));
        await store.delete(ref, ctx);
        await expectFailure(store.get(ref, undefined, ctx), 'not_found');
        await expectFailure(store.stat(ref, ctx), 'not_found');
        expect(await listAll(store, kind)).to.deep.equal([]);
        const two = subject.hides('otherBytes') ? makeObject(kind, 100, 'one') : makeObject(kind, 120, 'two');
        await putAll(store, ref, two);
        expect((await getAll(store, ref)).equals(two)).to.equal(true);
      });

      it(`removes that ${kind} and no other`, async () => {
        const { store } = subject;
        const [kept, removed] = [newRef(kind), newRef(kind)];
        await putAll(store, kept, makeObject(kind, 100));
        await putAll(store, removed, makeObject(kind, 100));
        for (const other of objectKinds) if (other !== kind) await store.delete({ ...kept, kind: other }, ctx);
        await store.delete(removed, ctx);
        expect(await listAll(store, kind)).to.deep.equal([kept.mac]);
      });

      it(`succeeds for a ${kind} that is not there, and again for one that is gone`, async () => {
        const { store } = subject;
        const ref = newRef(kind);
        await store.delete(ref, ctx);
        await putAll(store, ref, makeObject(kind, 100));
        await store.delete(ref, ctx);
        await store.delete(ref, ctx);
        await Promise.all([store.delete(ref, ctx), store.delete(ref, ctx)]);
      });
    }

    if (!subject.onDisk) return;

    it('fails where the whole store is gone', async () => {
      const { store, target } = subject;
      await rename(folderOf(target), `${folderOf(target)}.away`);
      await expectFailure(store.delete(newRef('packfile'), ctx), 'unavailable');
      await rename(`${folderOf(target)}.away`, folderOf(target));
    });
  });
}
