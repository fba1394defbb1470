import { expect } from 'chai';
import { readFile, rename, rm, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

  it('of a delete is synced, also where another one has removed the object, and failed to sync that', async () => {
    const ref = newRef('state');
    await put(ref, state);
    const bucket = `states/${ref.mac.slice(0, 2)}`;
    failOnce(bucket);
    await expectFailure(store.delete(ref), 'unavailable');
    files.synced.length = 0;
    await store.delete(ref);
    expect(files.synced).to.include(bucket);
  });

  describe('by a file server that went down, and forgot what it had not synced,', () => {
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

    it('is no put where it goes down again and again', async () => {
      const ref = newRef('state');
      forget(ref, 10, () => unlink(pathOf(ref)));
      await expectFailure(put(ref, state), 'unavailable');
    });

    it('is no put of what was there already: what was compared may be gone', async () => {
      const ref = newRef('state');
      await put(ref, state);
      forget(ref, 1, () => unlink(pathOf(ref)));
      await expectFailure(put(ref, state), 'unavailable');
      expect(await put(ref, state)).to.deep.equal({ created: true });
    });

    it('is gone all the same, where it was deleted', async () => {
      const ref = newRef('state');
      await put(ref, state);
      forget(ref, 1, () => writeFile(pathOf(ref), state));
      await store.delete(ref);
      await expectFailure(Promise.resolve(store.stat(ref)), 'not_found');
    });
  });

  it('is no put where its server can not be reached any more, and that is told without trying to clean up first', async () => {
    const ref = newRef('state');
    files.beforeLink = () => {
      files.remove = () => new Promise(() => undefined);
      throw new StoreError('unavailable', "the store's server can't be reached");
    };
    await expectFailure(put(ref, state), 'unavailable');
  });

  it('is no put where somebody removed what it wrote', async () => {
    files.beforeLink = () => rm(join(folder, files.made), { force: true });
    const error = await expectFailure(put(newRef('state'), state), 'unavailable');
    expect(error.message).to.include('its file was removed');
  });

  it('is a put, whatever the time is at the file server when leftovers are swept', async () => {
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

  it('of a delete of what never was there is nothing, also where its folder is not', () =>
    store.delete(newRef('state')));

  it('of a put has the name of its folder synced, though another put has made that, and is not done', async () => {
    files.before = (path) => (path === 'packfiles' ? sleep(100) : undefined);
    const first = put(inBucket('aa'));
    await sleep(30);
    await put(inBucket('aa'));
    expect(files.synced).to.include('packfiles');
    await first;
  });

  it('of a put has the name of its folder synced, though another put has made that, and failed to sync it', async () => {
    failOnce('packfiles');
    await expectFailure(put(inBucket('aa')), 'unavailable');
    expect(files.synced).not.to.include('packfiles');
    await put(inBucket('aa'));
    expect(files.synced).to.include('packfiles');
  });

  it('of a put has the name of a folder synced once', async () => {
    for (let i = 0; i < 3; i++) await put(inBucket('aa'));
    expect(files.synced.filter((path) => path === 'packfiles')).to.have.length(1);
    expect(files.synced.filter((path) => path === 'packfiles/aa')).to.have.length(3);
  });

  it('is a put, where another one came first, and a delete before this one looked', async () => {
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

  it('is no put where something has the name that is no file', async () => {
    const ref = inBucket('aa');
    await put(inBucket('aa'));
    await files.makeFolder(`packfiles/aa/${ref.mac}`, 0o700);
    const { message } = await expectFailure(put(ref), 'already_exists');
    expect(message).to.contain('no file');
  });
});
