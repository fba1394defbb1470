import { expect } from 'chai';
import { readFile, rename, rm, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore } from '../../../src/backends/files/file-store.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { StoreError } from '../../../src/core/errors.js';
import type { Mac, ObjectRef } from '../../../src/core/object.js';
import { host } from '../../support/gateway.js';
import { inChunks, makeObject, newRef } from '../../support/objects.js';
import { expectFailure } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';

/** Notes which folders are synced, and does what a test wants before. */
class NotingFiles extends LocalFileSystem {
  readonly synced: string[] = [];
  connectionCount = 1;
  before: (path: string) => Promise<void> | void = () => undefined;
  beforeLink: () => Promise<void> | void = () => undefined;
  afterFailedLink: () => Promise<void> | void = () => undefined;

  override async syncFolder(path: string): Promise<void> {
    await this.before(path);
    await super.syncFolder(path);
    this.synced.push(path);
  }

  /** The last file that was made. */
  made = '';

  override create(path: string, mode: number): ReturnType<LocalFileSystem['create']> {
    this.made = path;
    return super.create(path, mode);
  }

  override async link(from: string, to: string): Promise<void> {
    await this.beforeLink();
    try {
      await super.link(from, to);
    } catch (error) {
      await this.afterFailedLink();
      throw error;
    }
  }
}

describe('What a store of files acknowledges', () => {
  const bytes = makeObject('packfile', 1000);
  const state = makeObject('state', 1000);
  let folder: string;
  let files: NotingFiles;
  let store: FileStore;

  beforeEach(async () => {
    folder = await emptyStore();
    files = new NotingFiles(folder);
    store = await FileStore.open(files, { durable: true, maxObjectBytes: 1e6, host });
  });

  afterEach(() => store.close());

  const put = (ref: ObjectRef, data = bytes) => store.put(ref, inChunks(data));
  const inBucket = (bucket: string): ObjectRef => ({
    kind: 'packfile',
    mac: (bucket + newRef('packfile').mac.slice(2)) as Mac,
  });

  /** Lets the first sync of a folder fail. */
  function failOnce(folder: string): void {
    files.before = (path) => {
      if (path !== folder) return;
      files.before = () => undefined;
      throw new StoreError('unavailable', 'the disk');
    };
  }

  it('is a delete that is synced, even if another one removed the object and failed to sync that', async () => {
    const ref = newRef('state');
    await put(ref, state);
    const bucket = `states/${ref.mac.slice(0, 2)}`;
    failOnce(bucket);
    await expectFailure(store.delete(ref), 'unavailable');
    files.synced.length = 0;
    await store.delete(ref);
    expect(files.synced).to.include(bucket);
  });

  describe('by a file server that crashed and lost what it had not synced', () => {
    const folderOf = ({ kind, mac }: ObjectRef): string => (kind === 'lock' ? 'locks' : `${kind}s/${mac.slice(0, 2)}`);
    const pathOf = (ref: ObjectRef): string => join(folder, folderOf(ref), ref.mac);

    /** Has the server forget it so many times: right before it syncs that folder. */
    function forget(ref: ObjectRef, times: number, how: () => Promise<unknown>): void {
      let left = times;
      files.before = async (path) => {
        if (path !== folderOf(ref) || left-- <= 0) return;
        await how();
        files.connectionCount++;
      };
    }

    for (const kind of ['packfile', 'state', 'lock'] as const) {
      it(`is there all the same: a ${kind}`, async () => {
        const ref = newRef(kind);
        const there = makeObject(kind, 1000);
        // As a journal would have it: the temporary name is back, where it was renamed.
        forget(ref, 2, () => (kind === 'lock' ? rename(pathOf(ref), join(folder, files.made)) : unlink(pathOf(ref))));
        const result = await put(ref, there);
        expect(result).to.deep.equal({ created: true });
        expect(await readFile(pathOf(ref))).to.deep.equal(there);
      });

      it(`is there once where nothing was forgotten: a ${kind}`, async () => {
        const ref = newRef(kind);
        forget(ref, 1, () => Promise.resolve());
        await put(ref, makeObject(kind, 1000));
        expect(await readFile(pathOf(ref))).to.have.length(1000);
      });
    }

    it('is no put if it crashes again and again', async () => {
      const ref = newRef('state');
      forget(ref, 10, () => unlink(pathOf(ref)));
      await expectFailure(put(ref, state), 'unavailable');
    });

    it('is no put of an object that was there before: that may be gone', async () => {
      const ref = newRef('state');
      await put(ref, state);
      forget(ref, 1, () => unlink(pathOf(ref)));
      await expectFailure(put(ref, state), 'unavailable');
      expect(await put(ref, state)).to.deep.equal({ created: true });
    });

    it('is gone all the same after a delete', async () => {
      const ref = newRef('state');
      await put(ref, state);
      forget(ref, 1, () => writeFile(pathOf(ref), state));
      await store.delete(ref);
      await expectFailure(Promise.resolve(store.stat(ref)), 'not_found');
    });
  });

  it('is no put whose server became unreachable, which is reported without waiting for the cleanup', async () => {
    const ref = newRef('state');
    files.beforeLink = () => {
      files.remove = () => new Promise(() => undefined);
      throw new StoreError('unavailable', "the store's server can't be reached");
    };
    await expectFailure(put(ref, state), 'unavailable');
  });

  it('is no put whose temporary file was removed', async () => {
    files.beforeLink = () => rm(join(folder, files.made), { force: true });
    const error = await expectFailure(put(newRef('state'), state), 'unavailable');
    expect(error.message).to.include('its file was removed');
  });

  it("is a put, although leftovers are swept meanwhile, and by the file server's clock its file is old", async () => {
    const ref = newRef('state');
    files.beforeLink = async () => {
      await utimes(join(folder, files.made), 0, 0);
      expect(await store.sweep()).to.equal(0);
    };
    await put(ref, state);
    expect(await readFile(join(folder, 'states', ref.mac.slice(0, 2), ref.mac))).to.deep.equal(state);
    files.beforeLink = () => undefined;
    await writeFile(join(folder, files.made), 'left');
    await utimes(join(folder, files.made), 0, 0);
    expect(await store.sweep(), 'one that is not written any more').to.equal(1);
  });

  it('is a delete of an object that never existed, nor its folder', () => store.delete(newRef('state')));

  it('is a put with the name of its folder synced, which another put created and is still syncing', async () => {
    let [started, finish] = [(): void => undefined, (): void => undefined];
    const syncing = new Promise<void>((resolve) => (started = resolve));
    const finished = new Promise<void>((resolve) => (finish = resolve));
    files.before = (path) => {
      if (path !== 'packfiles') return;
      files.before = () => undefined;
      started();
      return finished;
    };
    const first = put(inBucket('aa'));
    await syncing;
    await put(inBucket('aa'));
    expect(files.synced).to.include('packfiles');
    finish();
    await first;
  });

  it('is a put with the name of its folder synced, which another put created and failed to sync', async () => {
    failOnce('packfiles');
    await expectFailure(put(inBucket('aa')), 'unavailable');
    expect(files.synced).not.to.include('packfiles');
    await put(inBucket('aa'));
    expect(files.synced).to.include('packfiles');
  });

  it('is puts with the name of their folder synced once', async () => {
    for (let i = 0; i < 3; i++) await put(inBucket('aa'));
    expect(files.synced.filter((path) => path === 'packfiles')).to.have.length(1);
    expect(files.synced.filter((path) => path === 'packfiles/aa')).to.have.length(3);
  });

  it('is a put after another one of the same name, which was deleted before the two were compared', async () => {
    const ref = newRef('packfile');
    let other: Promise<unknown> | undefined;
    files.beforeLink = async () => {
      if (other !== undefined) return;
      other = put(ref);
      await other;
    };
    files.afterFailedLink = () => store.delete(ref);
    expect(await put(ref)).to.deep.equal({ created: true });
    expect(await store.stat(ref)).to.include({ size: bytes.length });
  });

  it('is no put of a name that something other than a file has', async () => {
    const ref = inBucket('aa');
    await put(inBucket('aa'));
    await files.makeFolder(`packfiles/aa/${ref.mac}`, 0o700);
    const { message } = await expectFailure(put(ref), 'already_exists');
    expect(message).to.contain('not a file');
  });
});
