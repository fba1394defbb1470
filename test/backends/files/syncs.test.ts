import { expect } from 'chai';
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
  before: (path: string) => Promise<void> | void = () => undefined;
  beforeLink: () => Promise<void> | void = () => undefined;
  afterFailedLink: () => Promise<void> | void = () => undefined;

  override async syncFolder(path: string): Promise<void> {
    await this.before(path);
    await super.syncFolder(path);
    this.synced.push(path);
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
  let files: NotingFiles;
  let store: FileStore;

  beforeEach(async () => {
    files = new NotingFiles(await emptyStore());
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
