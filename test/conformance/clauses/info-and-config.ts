import { expect } from 'chai';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeObject, newRef } from '../../support/objects.js';
import { ctx, expectFailure, putAll } from '../../support/store.js';
import { maxObjectBytes, type Subject } from '../target.js';
import { folderOf } from './on-disk.js';

export function describeInfoAndConfig(subject: Subject): void {
  if (!subject.hides('info')) {
    describe('info', () => {
      it('tells the access, the size limit and the durability, and stays the same', async () => {
        const { store } = subject;
        const info = store.info();
        expect(info).to.include({ access: 'full', maxObjectBytes });
        expect(info.durable).to.be.a('boolean');
        await putAll(store, newRef('state'), makeObject('state', 100));
        await store.config(ctx);
        expect(store.info()).to.deep.equal(info);
      });
    });
  }

  describe('config', () => {
    it('gives the bytes of CONFIG', async () => {
      const { store, target } = subject;
      expect(Buffer.from(await store.config(ctx)).equals(target.config)).to.equal(true);
    });

    if (!subject.onDisk) return;

    it('reads CONFIG anew each time', async () => {
      const { store, target } = subject;
      const bytes = makeObject('packfile', 100);
      await writeFile(join(folderOf(target), 'CONFIG'), bytes);
      expect(Buffer.from(await store.config(ctx)).equals(bytes)).to.equal(true);
    });

    it('is unavailable when CONFIG is gone', async () => {
      const { store, target } = subject;
      await rename(join(folderOf(target), 'CONFIG'), join(folderOf(target), 'CONFIG.away'));
      await expectFailure(store.config(ctx), 'unavailable');
    });
  });
}
