import { expect } from 'chai';
import { chmod, mkdir, readdir, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore, type FileStoreOptions } from '../../../src/backends/files/file-store.js';
import type { ReadableFile, WritableFile } from '../../../src/backends/files/file-system.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { StoreError } from '../../../src/core/errors.js';
import { describeDigestStorage } from '../../integrity/support/digest-storage-suite.js';
import { digestWriter, randomDigest, recordedDigests, recordOne } from '../../support/digests.js';
import { host } from '../../support/gateway.js';
import { newRef } from '../../support/objects.js';
import { ctx, expectFailure, listAll } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';
import { listTrash } from './support/trash.js';

const digestsFolder = '.kloset-gateway/digests';

/** Notes what is made, written and synced. */
class NotingFiles extends LocalFileSystem {
  readonly notes: string[] = [];

  override async create(path: string, mode: number): Promise<WritableFile> {
    this.notes.push('create');
    const file = await super.create(path, mode);
    return {
      write: (chunks) => this.note('write', () => file.write(chunks)),
      sync: () => this.note('sync', () => file.sync()),
      close: () => file.close(),
    };
  }

  override async open(path: string): Promise<ReadableFile> {
    const file = await super.open(path);
    const sync = file.sync.bind(file);
    return Object.assign(file, { sync: () => this.note('sync what others wrote', sync) });
  }

  override syncFolder(path: string): Promise<void> {
    return this.note(`sync ${path}`, () => super.syncFolder(path));
  }

  private async note(what: string, work: () => Promise<void>): Promise<void> {
    await work();
    this.notes.push(what);
  }
}

describe('The digests of a store in a folder', () => {
  let folder: string;
  let opened: FileStore[];

  beforeEach(async () => {
    folder = await emptyStore();
    opened = [];
  });

  afterEach(() => Promise.all(opened.map((store) => store.close())));

  async function open(
    options: Partial<FileStoreOptions> = {},
    files = new LocalFileSystem(folder),
  ): Promise<FileStore> {
    const store = await FileStore.open(files, { durable: true, maxObjectBytes: 1e6, host, ...options });
    opened.push(store);
    return store;
  }

  describeDigestStorage(async () => [(await open()).digests, (await open()).digests]);

  it('are synced before they count, and their names before them', async () => {
    const files = new NotingFiles(folder);
    const { digests } = await open({}, files);
    const writer = digestWriter(digests);
    await writer.record(newRef('state'), randomDigest());
    await writer.record(newRef('state'), randomDigest());
    await writer.close();
    const names = [`sync ${digestsFolder}`, 'sync .', 'sync .kloset-gateway'];
    const notes = files.notes.slice(files.notes.lastIndexOf('create') + 1);
    expect(notes).to.deep.equal([names[0], 'write', 'sync', 'write', 'sync']);
    expect(files.notes).to.include.members(names);
  });

  it('of others are synced before a new segment names them', async () => {
    await recordOne((await open({ durable: false })).digests);
    const files = new NotingFiles(folder);
    await recordOne((await open({}, files)).digests);
    expect(files.notes).to.include('sync what others wrote');
    expect(files.notes.indexOf('sync what others wrote')).to.be.below(files.notes.indexOf('create'));
  });

  it('are not synced in a store without durability', async () => {
    const files = new NotingFiles(folder);
    const { digests } = await open({ durable: false }, files);
    await recordOne(digests);
    expect(files.notes).to.deep.equal(['create', 'create', 'write']);
    expect(digests.isDurable).to.equal(false);
    expect((await open({ fullyDurable: false })).digests.isDurable).to.equal(false);
  });

  it('are as private as the rest of the store', async () => {
    await chmod(join(folder, 'packfiles'), 0o750);
    await chmod(join(folder, 'CONFIG'), 0o640);
    const writer = digestWriter((await open()).digests);
    await writer.record(newRef('state'), randomDigest());
    await writer.close();
    const modeOf = async (path: string): Promise<number> => (await stat(join(folder, path))).mode & 0o777;
    expect(await modeOf('.kloset-gateway')).to.equal(0o750);
    expect(await modeOf(digestsFolder)).to.equal(0o750);
    const [segment] = await readdir(join(folder, digestsFolder));
    expect(await modeOf(`${digestsFolder}/${segment}`)).to.equal(0o640);
  });

  it('are no objects, nor in the trash, and no sweep removes them; foreign files among them are none', async () => {
    const store = await open({ trashes: true });
    await recordOne(store.digests);
    await writeFile(join(folder, digestsFolder, 'notes.txt'), 'foreign');
    await mkdir(join(folder, digestsFolder, '2026-11-30T00-00-00Z.host.0123456789abcdef'));
    await symlink('/etc/passwd', join(folder, digestsFolder, '2026-11-30T00-00-01Z.host.0123456789abcdef'));
    expect(await store.sweep()).to.equal(0);
    expect(await store.digests.list()).to.have.length(1);
    for (const kind of ['packfile', 'state', 'lock'] as const) expect(await listAll(store, kind)).to.deep.equal([]);
    expect(await listTrash(store)).to.deep.equal([]);
  });

  it('are read on where a connection was lost in between, and fail where that happens again and again', async () => {
    const files = new LocalFileSystem(folder);
    const { digests } = await open({}, files);
    const writer = digestWriter(digests);
    const macs = Array.from({ length: 8000 }, () => newRef('packfile').mac);
    await Promise.all(macs.map((mac) => writer.record({ kind: 'packfile', mac }, randomDigest())));
    await writer.close();
    const readable = files.open.bind(files);
    let failures = 1;
    files.open = async (path) => {
      const file = await readable(path);
      const read: ReadableFile['read'] = async (target, offset, length) => {
        if (offset > 0 && failures-- > 0) throw new StoreError('unavailable', 'the connection was lost');
        return file.read(target, offset, length);
      };
      return {
        ...{ size: file.size, modifiedMs: 0, id: undefined, sync: () => file.sync() },
        read,
        close: () => file.close(),
      };
    };
    expect(await recordedDigests(digests)).to.have.property('size', macs.length);
    expect(failures, 'it was lost once').to.be.below(1);
    failures = 100;
    const [segment] = await digests.list();
    const readOn = async (): Promise<void> => {
      for await (const chunk of digests.read(segment?.name ?? '', ctx)) expect(chunk.length).to.be.above(0);
    };
    await expectFailure(readOn(), 'unavailable');
  });

  it('are not taken to be none while the store is not mounted', async () => {
    const { digests } = await open();
    await rename(folder, `${folder}-unmounted`);
    await mkdir(folder);
    await expectFailure(digests.list(), 'unavailable');
    await expectFailure(recordOne(digests), 'unavailable');
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('keep a store from being opened for writing where they could not be recorded', async () => {
    await writeFile(join(folder, '.kloset-gateway'), 'in the way');
    const { message } = await expectFailure(open({ digests: true, writable: true }), 'unavailable');
    expect(message).to.include('no digests could be recorded').and.include('the setting `digests`');
    expect(await listAll(await open({ digests: true }), 'state'), 'for reading').to.deep.equal([]);
  });

  it('are recorded in new folders when theirs are gone', async () => {
    const { digests } = await open({ digests: true, writable: true });
    expect(await readdir(join(folder, digestsFolder)), 'nothing before the first digest').to.deep.equal([]);
    await rename(join(folder, '.kloset-gateway'), join(folder, 'elsewhere'));
    await recordOne(digests);
    expect(await recordedDigests(digests)).to.have.property('size', 1);
  });
});
