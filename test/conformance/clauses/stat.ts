import { expect } from 'chai';
import { objectKinds } from '../../../src/core/object.js';
import { makeObject, newRef } from '../../support/objects.js';
import { ctx, expectFailure, putAll } from '../../support/store.js';
import type { Subject } from '../target.js';

export function describeStat(subject: Subject): void {
  describe('stat', () => {
    for (const kind of objectKinds) {
      it(`tells the size and the modification time of a ${kind}`, async () => {
        const { store } = subject;
        const ref = newRef(kind);
        await putAll(store, ref, makeObject(kind, 1234));
        const { size, modifiedMs } = await store.stat(ref, ctx);
        expect(size).to.equal(1234);
        expect(modifiedMs).to.be.within(Date.now() - 60_000, Date.now() + 60_000);
      });

      it(`is not_found where there is no such ${kind}`, async () => {
        await expectFailure(subject.store.stat(newRef(kind), ctx), 'not_found');
      });
    }
  });
}
