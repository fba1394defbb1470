import { expect } from 'chai';
import { lstat, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FileStore } from '../../../src/backends/files/file-store.js';
import type { FileSystem } from '../../../src/backends/files/file-system.js';
import { objectPath } from '../../../src/backends/files/layout.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { openSftp } from '../../../src/backends/sftp/open-sftp.js';
import { StoreError } from '../../../src/core/errors.js';
import type { ObjectRef } from '../../../src/core/object.js';
import { host, silent } from '../../support/gateway.js';
import { inChunks, makeObject, newRef } from '../../support/objects.js';
import { otherDisk } from '../../support/other-disk.js';
import { hasSshd, Sshd } from '../../support/sshd.js';
import { ctx, expectFailure, getAll, putAll, readAll } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';
import { listTrash } from './support/trash.js';

const whole = makeObject('packfile', 300_000, 'whole');
const damaged = whole.subarray(0, 200_000);

/** In whole seconds, which SFTP servers keep. */
const arrivedMs = Date.parse('2026-11-01T08:30:15Z');

function describeReplacing(where: string, openFolder: (folder: string) => Promise<FileSystem>): void {
  describe(`Replacing an object of a store ${where}`, () => {
    let folder: string;
    let store: FileStore;
    let ref: ObjectRef;

    const open = async (trashes: boolean): Promise<FileStore> =>
      FileStore.open(await openFolder(folder), {
        ...{ durable: true, maxObjectBytes: 1e6, host, writable: true, trashes },
      });

    beforeEach(async () => {
      folder = await emptyStore();
      store = await open(true);
      ref = newRef('packfile');
      await putAll(store, ref, whole);
      await writeFile(join(folder, objectPath(ref)), damaged);
      await utimes(join(folder, objectPath(ref)), new Date(arrivedMs), new Date(arrivedMs));
    });

    afterEach(() => store.close());

    it('puts the new bytes in its place, with the time of its arrival, and the damaged ones into the trash', async () => {
      expect((await getAll(store, ref)).equals(damaged)).to.equal(true);
      await store.replace(ref, inChunks(whole), arrivedMs);
      expect((await getAll(store, ref)).equals(whole)).to.equal(true);
      expect(await store.stat(ref)).to.deep.equal({ size: whole.length, modifiedMs: arrivedMs });
      const [object, ...others] = await listTrash(store);
      if (object === undefined) throw new Error('nothing is in the trash');
      expect(others).to.be.empty;
      expect((await readAll(await store.trash.get(object, undefined))).equals(damaged)).to.equal(true);
      expect(await readdir(join(folder, 'packfiles'))).to.satisfy((names: string[]) =>
        names.every((name) => name.length === 2),
      );
    });

    it('puts an object that is missing, and without a trash keeps nothing', async () => {
      const missing = newRef('state');
      const state = makeObject('state', 500);
      await store.replace(missing, inChunks(state), arrivedMs);
      expect((await getAll(store, missing)).equals(state)).to.equal(true);
      const other = await open(false);
      await other.replace(ref, inChunks(whole), arrivedMs);
      await other.close();
      expect(await listTrash(store)).to.be.empty;
      expect((await readFile(join(folder, objectPath(ref)))).equals(whole)).to.equal(true);
    });

    it('replaces nothing where it has to be there and was deleted while the bytes were read', async () => {
      async function* afterDelete(): AsyncGenerator<Uint8Array> {
        yield* inChunks(whole);
        await store.delete(ref);
      }
      await expectFailure(store.replace(ref, afterDelete(), arrivedMs, ctx, { mustExist: true }), 'not_found');
      await expectFailure(store.stat(ref), 'not_found');
      await store.replace(ref, inChunks(whole), arrivedMs);
      await store.replace(ref, inChunks(whole), arrivedMs, ctx, { mustExist: true });
      expect((await getAll(store, ref)).equals(whole)).to.equal(true);
    });

    it('changes nothing if the bytes end early, or are none of its kind', async () => {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield whole.subarray(0, 100_000);
        throw new StoreError('unavailable', 'the other copy is gone');
      }
      await expectFailure(store.replace(ref, broken(), arrivedMs), 'unavailable');
      await expectFailure(store.replace(ref, inChunks(makeObject('state', 500)), arrivedMs), 'invalid_argument');
      expect((await readFile(join(folder, objectPath(ref)))).equals(damaged)).to.equal(true);
      expect((await lstat(join(folder, objectPath(ref)))).mtimeMs).to.equal(arrivedMs);
      expect(await listTrash(store)).to.be.empty;
    });
  });
}

/** As an SSH server without hard links. */
class FilesWithoutLinks extends LocalFileSystem {
  readonly linkMoves = true;
  override async link(from: string, to: string): Promise<void> {
    if (await this.exists(to)) throw new StoreError('already_exists', 'the name is taken');
    await super.rename(from, to);
  }
}

describeReplacing('in a folder without hard links', async (folder) => new FilesWithoutLinks(folder));

describe('Replacing an object of a folder without hard links', () => {
  it('leaves the damaged one in its place when it is cut off', async () => {
    const folder = await emptyStore();
    class Files extends FilesWithoutLinks {
      override async rename(from: string, to: string): Promise<void> {
        if (to.startsWith('packfiles/')) throw new StoreError('unavailable', 'the connection is lost');
        return super.rename(from, to);
      }
    }
    const options = { durable: true, maxObjectBytes: 1e6, host, writable: true, trashes: true };
    const store = await FileStore.open(new Files(folder), options);
    const ref = newRef('packfile');
    await putAll(store, ref, damaged);
    await expectFailure(store.replace(ref, inChunks(whole), arrivedMs), 'unavailable');
    expect((await readFile(join(folder, objectPath(ref)))).equals(damaged)).to.equal(true);
    await store.close();
  });
});

describe('Replacing an object when the answer to its second name is lost', () => {
  it('takes that name for its own', async () => {
    const folder = await emptyStore();
    class Files extends LocalFileSystem {
      override async link(from: string, to: string): Promise<void> {
        await super.link(from, to);
        if (!to.startsWith('packfiles/')) await super.link(from, to);
      }
    }
    const options = { durable: true, maxObjectBytes: 1e6, host, writable: true, trashes: true };
    const store = await FileStore.open(new Files(folder), options);
    const ref = newRef('packfile');
    await putAll(store, ref, damaged);
    await store.replace(ref, inChunks(whole), arrivedMs);
    expect((await getAll(store, ref)).equals(whole)).to.equal(true);
    expect(await listTrash(store)).to.have.length(1);
    await store.close();
  });
});

describe('Replacing an object of a bucket that is a link', () => {
  const disk = otherDisk();

  for (const trashes of [false, true]) {
    it(`puts it on that other disk, ${trashes ? 'with' : 'without'} a trash`, async () => {
      const folder = await emptyStore();
      const ref = newRef('packfile');
      const [bucket, elsewhere] = [dirname(join(folder, objectPath(ref))), join(disk(), `bucket-${trashes}`)];
      await rm(bucket, { recursive: true, force: true });
      await mkdir(elsewhere);
      await symlink(elsewhere, bucket);
      const options = { durable: true, maxObjectBytes: 1e6, host, writable: true, trashes };
      const store = await FileStore.open(new LocalFileSystem(folder), options);
      await putAll(store, ref, damaged);
      await store.replace(ref, inChunks(whole), arrivedMs);
      expect((await getAll(store, ref)).equals(whole)).to.equal(true);
      expect(await store.stat(ref)).to.deep.equal({ size: whole.length, modifiedMs: arrivedMs });
      expect(await readdir(elsewhere)).to.deep.equal([ref.mac]);
      expect(await listTrash(store)).to.have.length(trashes ? 1 : 0);
      await store.close();
    });
  }
});

describe('Replacing an object that is cut off before the last step', () => {
  it('leaves the damaged one in its place, and is done by the next attempt', async () => {
    const folder = await emptyStore();
    let isCutOff = true;
    class Files extends LocalFileSystem {
      override async rename(from: string, to: string): Promise<void> {
        if (isCutOff) throw new StoreError('unavailable', 'the power is gone');
        return super.rename(from, to);
      }
    }
    const options = { durable: true, maxObjectBytes: 1e6, host, writable: true, trashes: true };
    const store = await FileStore.open(new Files(folder), options);
    const ref = newRef('packfile');
    await putAll(store, ref, damaged);
    await expectFailure(store.replace(ref, inChunks(whole), arrivedMs), 'unavailable');
    expect((await getAll(store, ref)).equals(damaged)).to.equal(true);
    isCutOff = false;
    await store.replace(ref, inChunks(whole), arrivedMs);
    expect((await getAll(store, ref)).equals(whole)).to.equal(true);
    await store.close();
  });
});

describeReplacing('in a local folder', async (folder) => new LocalFileSystem(folder));

describe('On an SSH server', () => {
  let sshd: Sshd;

  before(async function () {
    if (!hasSshd()) this.skip();
    sshd = await Sshd.start();
  });

  after(async () => {
    await sshd?.stop();
  });

  describeReplacing('there', (folder) => openSftp(sshd.location(folder), sshd.options, silent));
});
