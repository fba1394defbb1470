import { expect } from 'chai';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { objectKinds, type Mac } from '../../../src/core/object.js';
import { makeObject, newRef, randomMac, randomMacIn } from '../../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../../support/store.js';
import type { Subject } from '../target.js';
import { addPackfile, folderOf } from './on-disk.js';

export function describeList(subject: Subject): void {
  describe('list', () => {
    it('is empty in an empty store', async () => {
      for (const kind of objectKinds) expect(await listAll(subject.store, kind)).to.deep.equal([]);
    });

    it('gives every object of the kind, once, and none of another kind', async () => {
      const { store } = subject;
      for (const kind of objectKinds) {
        const refs = Array.from({ length: 20 }, () => newRef(kind));
        await Promise.all(refs.map((ref) => putAll(store, ref, makeObject(kind, 100))));
        expect((await listAll(store, kind)).sort()).to.deep.equal(refs.map(({ mac }) => mac).sort());
      }
    });

    it('may be ended early, and the next one is whole', async () => {
      const { store } = subject;
      const macs = Array.from({ length: 20 }, () => randomMac());
      for (const mac of macs) await putAll(store, { kind: 'packfile', mac }, makeObject('packfile', 100));
      for (let i = 0; i < 3; i++) {
        for await (const batch of store.list('packfile', ctx)) if (batch.length > 0) break;
      }
      expect((await listAll(store, 'packfile')).sort()).to.deep.equal(macs.sort());
    });

    if (subject.onDisk) describeListOnDisk(subject);
  });
}

function describeListOnDisk(subject: Subject): void {
  it('gives every one of thousands, once, also where most are in one folder', async () => {
    const { store, target } = subject;
    const macs = Array.from({ length: 9000 }, (_, i) => (i % 100 === 0 ? randomMac() : randomMacIn('ab')));
    for (const mac of macs) addPackfile(target, mac);
    expect((await listAll(store, 'packfile')).sort()).to.deep.equal(macs.sort());
  });

  it('shows what others add and remove, as soon as it is done', async () => {
    const { store, target } = subject;
    const macs = Array.from({ length: 10 }, () => randomMacIn('ab'));
    const bucket = join(folderOf(target), 'packfiles', 'ab');
    const expectList = async (present: readonly Mac[]): Promise<void> =>
      void expect((await listAll(store, 'packfile')).sort()).to.deep.equal([...present].sort());
    for (const [index, mac] of macs.entries()) {
      addPackfile(target, mac);
      await expectList(macs.slice(0, index + 1));
    }
    for (const [index, mac] of macs.entries()) {
      await rm(join(bucket, mac));
      await expectList(macs.slice(index + 1));
    }
    await rm(bucket, { recursive: true });
    await expectList([]);
    addPackfile(target, randomMac());
    await rename(join(folderOf(target), 'packfiles'), join(folderOf(target), 'moved'));
    await expectList([]);
  });

  it('skips foreign and temporary names', async () => {
    const { store, target } = subject;
    const ref = newRef('packfile');
    await putAll(store, ref, makeObject('packfile', 100));
    const bucket = join(folderOf(target), 'packfiles', ref.mac.slice(0, 2));
    const other = ref.mac.startsWith('00') ? 'ff' : '00';
    for (const foreign of [
      `${ref.mac}.tmp`,
      'README',
      ref.mac.toUpperCase().replace(/^../, 'AB'),
      `${other}${ref.mac.slice(2)}`,
    ]) {
      await writeFile(join(bucket, foreign), 'x');
    }
    await mkdir(join(bucket, `${ref.mac.slice(0, 63)}${ref.mac.endsWith('0') ? '1' : '0'}`));
    await writeFile(join(folderOf(target), 'packfiles', 'tmp.123456'), 'x');
    await mkdir(join(folderOf(target), 'packfiles', 'lost+found'));
    await writeFile(join(folderOf(target), 'locks', 'tmp.654321'), 'x');
    expect(await listAll(store, 'packfile')).to.deep.equal([ref.mac]);
    expect(await listAll(store, 'lock')).to.deep.equal([]);
    await rename(join(folderOf(target), 'packfiles', 'tmp.123456'), join(folderOf(target), 'moved'));
    await rename(join(folderOf(target), 'locks', 'tmp.654321'), join(folderOf(target), 'moved'));
  });

  it('fails as a whole when one folder of many cannot be read', async () => {
    const { store, target } = subject;
    await Promise.all(Array.from({ length: 50 }, () => putAll(store, newRef('packfile'), makeObject('packfile', 100))));
    const buckets = await readdir(join(folderOf(target), 'packfiles'));
    const bucket = join(folderOf(target), 'packfiles', buckets.sort().at(-1) ?? '');
    await rename(bucket, join(folderOf(target), 'moved-bucket'));
    await symlink('/nonexistent', bucket);
    let error: unknown;
    await listAll(store, 'packfile').catch((caught: unknown) => (error = caught));
    expect(error).to.be.an('error');
  });

  it('is empty, not an error, where a kind has no folder yet', async () => {
    const { store, target } = subject;
    await rename(join(folderOf(target), 'states'), join(folderOf(target), 'moved-states'));
    expect(await listAll(store, 'state')).to.deep.equal([]);
  });

  for (const [what, put] of [
    ['a link to a disk that is not mounted', (path: string) => symlink('/nonexistent', path)],
    ['a file', (path: string) => writeFile(path, '')],
  ] as const) {
    it(`is unavailable, not empty, where ${what} has its folder's name; and so is each object`, async () => {
      const { store, target } = subject;
      for (const kind of ['packfile', 'state', 'lock'] as const) {
        const ref = newRef(kind);
        const bytes = makeObject(kind, 100);
        await putAll(store, ref, bytes);
        const path = join(folderOf(target), `${kind}s`);
        await rename(path, `${path}.away`);
        await put(path);
        await expectFailure(listAll(store, kind), 'unavailable');
        const another = newRef(kind);
        await expectFailure(getAll(store, another), 'unavailable');
        await expectFailure(store.stat(another, ctx), 'unavailable');
        await expectFailure(putAll(store, another, bytes), 'unavailable');
        await expectFailure(store.delete(another, ctx), 'unavailable');
        await rm(path);
        await rename(`${path}.away`, path);
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
      }
    });
  }

  it('is unavailable, not empty, where the whole store is gone', async () => {
    const { store, target } = subject;
    await rename(folderOf(target), `${folderOf(target)}.away`);
    await expectFailure(listAll(store, 'state'), 'unavailable');
    await rename(`${folderOf(target)}.away`, folderOf(target));
  });
}
