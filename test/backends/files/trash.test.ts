import { expect } from 'chai';
import { chown, link, lstat, mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FileStore, type FileStoreOptions } from '../../../src/backends/files/file-store.js';
import type { FileSystem } from '../../../src/backends/files/file-system.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { openSftp } from '../../../src/backends/sftp/open-sftp.js';
import type { ObjectRef } from '../../../src/core/object.js';
import type { TrashedObject } from '../../../src/core/trash.js';
import { host, silent } from '../../support/gateway.js';
import { inChunks, makeObject, newRef } from '../../support/objects.js';
import { otherDisk } from '../../support/other-disk.js';
import { expectFailure, readAll } from '../../support/store.js';
import { hasSshd, Sshd } from '../../support/sshd.js';
import { emptyStore } from '../../support/temp.js';
import { listTrash } from './support/trash.js';

const kinds = ['packfile', 'state'] as const;

/** In whole seconds, which SFTP servers keep. */
const arrivedMs = Date.parse('2026-11-01T08:30:15Z');
const deletedMs = Date.parse('2026-11-29T21:30:00.123Z');

function describeTrash(where: string, openFolder: (folder: string) => Promise<FileSystem>): void {
  describe(`The trash of a store ${where}`, () => {
    let folder: string;
    let store: FileStore;
    let nowMs: number;

    const open = async (options: Partial<FileStoreOptions> = {}): Promise<FileStore> =>
      FileStore.open(await openFolder(folder), {
        ...{ durable: true, maxObjectBytes: 1e6, host, trashes: true, now: () => nowMs },
        ...options,
      });

    beforeEach(async () => {
      folder = await emptyStore();
      nowMs = deletedMs;
      store = await open();
    });

    afterEach(() => store.close());

    const fileOf = ({ kind, mac }: ObjectRef): string => join(folder, `${kind}s`, mac.slice(0, 2), mac);
    const trashFolder = (): string => join(folder, '.kloset-gateway', 'trash');
    const fileInTrash = ({ id }: TrashedObject): string => join(trashFolder(), id);

    /** Puts an object that arrived long ago. Resolves to its bytes. */
    async function put(ref: ObjectRef, seed = 'object', size = 1000): Promise<Buffer> {
      const bytes = makeObject(ref.kind, size, seed);
      await store.put(ref, inChunks(bytes));
      await utimes(fileOf(ref), new Date(arrivedMs), new Date(arrivedMs));
      return bytes;
    }

    async function putAndDelete(ref: ObjectRef, seed?: string, size?: number): Promise<TrashedObject> {
      await put(ref, seed, size);
      nowMs++;
      await store.delete(ref);
      const object = (await listTrash(store)).findLast((each) => each.ref.mac === ref.mac);
      if (object === undefined) throw new Error('it is not in the trash');
      return object;
    }

    for (const kind of kinds) {
      it(`has a deleted ${kind}, whole, and with the time of its arrival, which the store doesn't have any more`, async () => {
        const ref = newRef(kind);
        const bytes = await put(ref, 'object', 700_000);
        await store.delete(ref);
        await expectFailure(store.stat(ref), 'not_found');
        await expectFailure(store.get(ref, undefined), 'not_found');
        const [object, ...others] = await listTrash(store);
        if (object === undefined) throw new Error('nothing is in the trash');
        expect(others).to.deep.equal([]);
        expect(object).to.deep.include({ ref, deletedMs });
        expect(object.id).to.match(new RegExp(`^2026-11-29T21Z/${kind}s/${ref.mac}\\.${deletedMs}\\.[0-9a-f]{4}$`));
        expect(await store.trash.stat(object)).to.deep.equal({ size: bytes.length, modifiedMs: arrivedMs });
        expect(await readAll(await store.trash.get(object, undefined))).to.deep.equal(bytes);
        const range = await store.trash.get(object, { offset: 500, length: 20 });
        expect(range.objectSize).to.equal(bytes.length);
        expect(await readAll(range)).to.deep.equal(bytes.subarray(500, 520));
        expect(await readFile(fileInTrash(object))).to.deep.equal(bytes);
      });

      it(`gives a ${kind} back, with the time of its arrival`, async () => {
        const ref = newRef(kind);
        const object = await putAndDelete(ref);
        // Its folder may be gone as well.
        await rm(dirname(fileOf(ref)), { recursive: true });
        expect(await store.trash.restore(object)).to.equal(true);
        expect(await store.stat(ref)).to.deep.equal({ size: 1000, modifiedMs: arrivedMs });
        expect(await readAll(await store.get(ref, undefined))).to.deep.equal(makeObject(kind, 1000));
        expect(await listTrash(store)).to.deep.equal([]);
        await expectFailure(store.trash.restore(object), 'not_found');
      });
    }

    it('is empty at first, and makes no folder for a delete of nothing', async () => {
      expect(await listTrash(store)).to.deep.equal([]);
      await store.delete(newRef('packfile'));
      await store.sweep();
      expect(await readdir(folder)).to.have.members(['CONFIG', 'packfiles', 'states', 'locks']);
    });

    it('never has a lock', async () => {
      const ref = newRef('lock');
      await store.put(ref, inChunks(makeObject('lock', 100)));
      await store.delete(ref);
      await expectFailure(store.stat(ref), 'not_found');
      await expectFailure(store.trash.discard(ref), 'invalid_argument');
      expect(await readdir(folder)).to.not.include('.kloset-gateway');
    });

    it('can have a name several times, whose puts it is nothing to', async () => {
      const ref = newRef('state');
      const [first, second] = [await putAndDelete(ref, 'one'), await putAndDelete(ref, 'two')];
      expect(await listTrash(store)).to.have.length(2);
      const third = await put(ref, 'three');
      expect(await store.trash.restore(first), 'one is there').to.equal(false);
      expect(await readAll(await store.get(ref, undefined))).to.deep.equal(third);
      for (const [object, seed] of [
        [first, 'one'],
        [second, 'two'],
      ] as const) {
        expect(await readAll(await store.trash.get(object, undefined))).to.deep.equal(makeObject('state', 1000, seed));
      }
    });

    it('gives back what has the same bytes as the one that is there, but arrived earlier, only without that', async () => {
      const ref = newRef('packfile');
      const object = await putAndDelete(ref);
      await store.put(ref, inChunks(makeObject('packfile', 1000)));
      expect(await store.trash.restore(object)).to.equal(false);
      await store.delete(ref);
      expect(await store.trash.restore(object)).to.equal(true);
      expect((await store.stat(ref)).modifiedMs).to.equal(arrivedMs);
      expect(await listTrash(store), 'the later one').to.have.length(1);
    });

    it('has an object once that is deleted by many at once', async () => {
      const refs = Array.from({ length: 5 }, () => newRef('packfile'));
      for (const ref of refs) await put(ref);
      const other = await open();
      await Promise.all(refs.flatMap((ref) => [store, other, store].map((each) => each.delete(ref))));
      await other.close();
      const macs = (await listTrash(store)).map(({ ref }) => ref.mac);
      expect(macs).to.have.members(refs.map(({ mac }) => mac));
    });

    it('gives an object back once to many who ask', async () => {
      const object = await putAndDelete(newRef('packfile'));
      const asked = await Promise.allSettled([1, 2, 3].map(() => store.trash.restore(object)));
      expect(asked.filter((each) => each.status === 'fulfilled' && each.value)).to.not.have.length(0);
      expect(await store.stat(object.ref)).to.deep.equal({ size: 1000, modifiedMs: arrivedMs });
      expect(await listTrash(store)).to.deep.equal([]);
    });

    it('ends a restore that was interrupted, after which the object had both names', async () => {
      const object = await putAndDelete(newRef('packfile'));
      await link(fileInTrash(object), fileOf(object.ref));
      expect(await store.trash.restore(object)).to.equal(true);
      expect(await store.stat(object.ref)).to.deep.equal({ size: 1000, modifiedMs: arrivedMs });
      expect(await listTrash(store)).to.deep.equal([]);
    });

    it('loses an object for good that is removed, and no other', async () => {
      const [kept, removed] = [await putAndDelete(newRef('packfile')), await putAndDelete(newRef('packfile'))];
      // It may be open for the next reader.
      await readAll(await store.trash.get(removed, undefined));
      await store.trash.remove(removed);
      await store.trash.remove(removed);
      await expectFailure(store.trash.stat(removed), 'not_found');
      await expectFailure(store.trash.get(removed, undefined), 'not_found');
      await expectFailure(store.trash.restore(removed), 'not_found');
      expect(await listTrash(store)).to.deep.equal([kept]);
    });

    it('is left by no hostile id', async () => {
      const { ref, id } = await putAndDelete(newRef('state'));
      await writeFile(join(trashFolder(), '2026-11-29T21Z', 'secret'), 'secret');
      const [hour = '', kind = '', name = ''] = id.split('/');
      for (const hostile of [
        '../../CONFIG',
        `${hour}/secret`,
        `../trash/${hour}/${kind}/${name}`,
        `${hour}/../${hour}/${kind}/${name}`,
        `${hour}/locks/${name}`,
        `${id}/`,
        `${id}\n`,
        '',
      ]) {
        const object = { ref, deletedMs, id: hostile };
        await expectFailure(store.trash.stat(object), 'not_found');
        await expectFailure(store.trash.get(object, undefined), 'not_found');
        await expectFailure(store.trash.restore(object), 'not_found');
        await expectFailure(store.trash.remove(object), 'not_found');
      }
      expect(await listTrash(store)).to.have.length(1);
    });

    it('passes over foreign names', async () => {
      const object = await putAndDelete(newRef('packfile'));
      const file = fileInTrash(object);
      await writeFile(join(dirname(file), 'README'), '');
      await writeFile(`${file}.old`, '');
      await mkdir(file.replace(/....$/, 'aaaa'), { recursive: true });
      await symlink(file, file.replace(/....$/, 'bbbb'));
      await mkdir(join(trashFolder(), 'folder', 'packfiles'), { recursive: true });
      await writeFile(join(trashFolder(), '2026-11-29T20Z'), '');
      expect(await listTrash(store)).to.deep.equal([object]);
    });

    it('keeps its folders as private as the others, and loses those that are empty with the sweep, in time', async () => {
      const [removed, kept] = [await putAndDelete(newRef('packfile')), await putAndDelete(newRef('state'))];
      nowMs += 3_600_000;
      const later = await putAndDelete(newRef('packfile'));
      expect((await lstat(dirname(fileInTrash(later)))).mode & 0o777).to.equal(0o700);
      for (const object of [removed, later]) await store.trash.remove(object);
      nowMs += 3_600_000;
      await store.sweep();
      const folders = await readdir(trashFolder(), { recursive: true });
      expect(folders.filter((name) => name.split('/').length < 3)).to.have.members([
        ...['2026-11-29T21Z', '2026-11-29T21Z/states', '2026-11-29T22Z', '2026-11-29T22Z/packfiles'],
      ]);
      await store.trash.restore(kept);
      nowMs += 3_600_000;
      await store.sweep();
      expect(await readdir(trashFolder())).to.deep.equal([]);
      await putAndDelete(newRef('state'));
    });

    it('can be listed up to a time, without what was deleted in later hours', async () => {
      const first = await putAndDelete(newRef('packfile'));
      nowMs += 3_600_000;
      const second = await putAndDelete(newRef('state'));
      nowMs += 3_600_000;
      await putAndDelete(newRef('packfile'));
      const listed: TrashedObject[] = [];
      for await (const object of store.trash.list(undefined, second.deletedMs + 1)) listed.push(object);
      expect(listed).to.have.deep.members([first, second]);
    });

    it('is made when a store that will be written is opened, which fails where it cannot be, and says what to do', async () => {
      await (await open({ writable: true, readOnly: true })).close();
      await (await open({ writable: true, trashes: false })).close();
      expect(await readdir(folder)).to.not.include('.kloset-gateway');
      await (await open({ writable: true })).close();
      expect(await readdir(trashFolder())).to.deep.equal(['2026-11-29T21Z']);
      await rm(trashFolder(), { recursive: true });
      await writeFile(trashFolder(), 'no folder');
      const { message } = await expectFailure(open({ writable: true }), 'unavailable');
      expect(message).to.match(/\.kloset-gateway\/trash.*Make that folder.*`trash`/);
      await (await open()).close();
    });

    it('loses all its empty hours that are past with one sweep', async () => {
      const hours = Array.from(
        { length: 48 },
        (_, index) => `2026-11-${27 + Math.floor(index / 24)}T${String(index % 24).padStart(2, '0')}Z`,
      );
      for (const hour of hours) await mkdir(join(trashFolder(), hour, 'states'), { recursive: true });
      const kept = await putAndDelete(newRef('packfile'));
      await writeFile(join(trashFolder(), '2026-11-27T05Z', 'states', 'foreign'), '');
      await store.sweep();
      expect(await readdir(trashFolder())).to.have.members(['2026-11-27T05Z', dirname(dirname(kept.id))]);
    });

    it('can be looked at, and discarded to, where deletes are for good', async () => {
      const object = await putAndDelete(newRef('state'));
      const without = await open({ trashes: false });
      const [deleted, discarded] = [newRef('state'), newRef('state')];
      await put(deleted);
      await put(discarded);
      await without.delete(deleted);
      await without.trash.discard(discarded);
      await without.trash.discard(discarded);
      expect((await listTrash(without)).map(({ ref }) => ref.mac)).to.have.members([object.ref.mac, discarded.mac]);
      await without.close();
    });

    it('is only read where the store is read-only', async () => {
      const object = await putAndDelete(newRef('state'));
      const readOnly = await open({ readOnly: true });
      expect(await listTrash(readOnly)).to.deep.equal([object]);
      await expectFailure(readOnly.delete(object.ref), 'unimplemented');
      await expectFailure(readOnly.trash.discard(object.ref), 'unimplemented');
      await expectFailure(readOnly.trash.restore(object), 'unimplemented');
      await expectFailure(readOnly.trash.remove(object), 'unimplemented');
      await readOnly.close();
    });

    it('is unavailable, not empty, where the store is gone', async () => {
      const object = await putAndDelete(newRef('state'));
      await rename(folder, `${folder}-unmounted`);
      await mkdir(folder);
      await expectFailure(listTrash(store), 'unavailable');
      await expectFailure(store.trash.stat(object), 'unavailable');
      await expectFailure(store.trash.restore(object), 'unavailable');
      await expectFailure(store.trash.remove(object), 'unavailable');
      expect(await readdir(folder)).to.deep.equal([]);
    });

    describe('beside a bucket that is a link to another disk', () => {
      const elsewhere = otherDisk();

      it('takes nothing from there, and gives nothing back to there, and nothing is lost', async () => {
        const ref = newRef('packfile');
        const object = await putAndDelete(ref);
        const bucket = dirname(fileOf(ref));
        await rm(bucket, { recursive: true });
        await symlink(elsewhere(), bucket);
        const { message } = await expectFailure(store.trash.restore(object), 'unimplemented');
        expect(message).to.include('different disks');
        await put(ref);
        await expectFailure(store.delete(ref), 'unimplemented');
        expect(await store.stat(ref)).to.deep.equal({ size: 1000, modifiedMs: arrivedMs });
        expect(await listTrash(store)).to.deep.equal([object]);
      });
    });
  });
}

describeTrash('on a local disk', (folder) => Promise.resolve(new LocalFileSystem(folder)));

describe("The trash of another user's store, used by root", () => {
  it("is that user's: its folders, and what is deleted and restored", async () => {
    const folder = await emptyStore();
    const own = (path: string): Promise<void> => chown(join(folder, path), 65534, 65534);
    for (const path of ['.', 'packfiles', 'states', 'locks']) await own(path);
    const store = await FileStore.open(new LocalFileSystem(folder), { durable: false, maxObjectBytes: 1e6, host });
    const [trashed, restored] = [newRef('state'), newRef('state')];
    for (const ref of [trashed, restored]) {
      await store.put(ref, inChunks(makeObject('state', 1000)));
      await own(`states/${ref.mac.slice(0, 2)}/${ref.mac}`);
      await store.trash.discard(ref);
    }
    await rm(join(folder, 'states', restored.mac.slice(0, 2)), { recursive: true });
    const object = (await listTrash(store)).find(({ ref }) => ref.mac === restored.mac);
    if (object === undefined) throw new Error('it is not in the trash');
    await store.trash.restore(object);
    await store.close();
    for (const path of await readdir(folder, { recursive: true })) {
      if (path !== 'CONFIG') expect((await lstat(join(folder, path))).uid, path).to.equal(65534);
    }
  });
});

describe('Behind a real OpenSSH server', () => {
  let sshd: Sshd;

  before(async function () {
    if (!hasSshd()) this.skip();
    sshd = await Sshd.start();
  });

  after(() => sshd?.stop());

  describeTrash('there', (folder) => openSftp(sshd.location(folder), sshd.options, silent));
});
