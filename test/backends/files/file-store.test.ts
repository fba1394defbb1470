import { expect } from 'chai';
import { chmod, mkdir, readdir, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FileStore } from '../../../src/backends/files/file-store.js';
import type { WritableFile } from '../../../src/backends/files/file-system.js';
import { temporaryPath } from '../../../src/backends/files/layout.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import type { OpenedStore } from '../../../src/backends/backend.js';
import { openStore } from '../../../src/backends/backends.js';
import { StoreError } from '../../../src/core/errors.js';
import { host, silent } from '../../support/gateway.js';
import { inChunks, makeObject, newRef } from '../../support/objects.js';
import { ctx, expectFailure, listAll, putAll } from '../../support/store.js';
import { emptyStore, tempFolder } from '../../support/temp.js';
import { untilOpenFiles } from '../../wire/support/folders.js';

async function open(path: string): Promise<OpenedStore> {
  const options = {
    durable: true,
    writable: true,
    maxObjectBytes: 1e6,
    host,
    user: { env: {}, home: '/nonexistent', name: 'op' },
    ssh: {},
  };
  return openStore({ scheme: 'fs', path }, options, silent);
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o7777;
}

describe('files and folders that a put makes', () => {
  for (const [files, folders] of [
    [0o600, 0o700],
    [0o640, 0o2750],
    [0o664, 0o775],
  ] as const) {
    it(`have the permissions of those that are there: ${files.toString(8)}, ${folders.toString(8)}`, async () => {
      const folder = await emptyStore();
      await chmod(join(folder, 'CONFIG'), files);
      await chmod(join(folder, 'packfiles'), folders);
      const store = await open(folder);
      const packfile = newRef('packfile');
      await putAll(store, packfile, makeObject('packfile', 100));
      const lock = newRef('lock');
      await putAll(store, lock, makeObject('lock', 100));
      const bucket = join(folder, 'packfiles', packfile.mac.slice(0, 2));
      expect(await modeOf(bucket)).to.equal(folders);
      expect(await modeOf(join(bucket, packfile.mac))).to.equal(files);
      expect(await modeOf(join(folder, 'locks', lock.mac))).to.equal(files);
    });
  }

  it('never land in a folder that has lost its store', async () => {
    const folder = await emptyStore();
    const store = await open(folder);
    await rm(folder, { recursive: true });
    await mkdir(folder);
    let error: unknown;
    await putAll(store, newRef('state'), makeObject('state', 100)).catch((caught: unknown) => (error = caught));
    expect(error).to.have.property('code', 'unavailable');
    expect(await readdir(folder)).to.deep.equal([]);
  });
});

/** Says yes to all writes, and tells in the end that not all of them arrived. */
class LosingFileSystem extends LocalFileSystem {
  override async create(path: string, mode: number): Promise<WritableFile> {
    const file = await super.create(path, mode);
    const close = async (): Promise<void> => {
      await file.close();
      throw new StoreError('internal', 'not all bytes were kept');
    };
    return { write: (chunks) => file.write(chunks), sync: () => file.sync(), close };
  }
}

describe('a put whose file turns out to be short when it is closed', () => {
  it('fails, publishes nothing and leaves nothing behind', async () => {
    const folder = await emptyStore();
    const store = await FileStore.open(new LosingFileSystem(folder), { durable: true, maxObjectBytes: 1e6, host });
    for (const kind of ['packfile', 'state', 'lock'] as const) {
      await expectFailure(store.put(newRef(kind), inChunks(makeObject(kind, 1000))), 'internal');
      expect(await listAll(store, kind)).to.deep.equal([]);
    }
    for (const kind of ['packfiles', 'states', 'locks']) {
      const names = await readdir(join(folder, kind));
      expect(names.filter((name) => name.startsWith('tmp.'))).to.deep.equal([]);
    }
  });
});

describe('the sweep', () => {
  it("removes what gateways left behind that are gone, and nothing of others'", async () => {
    const folder = await emptyStore();
    const store = await open(folder);
    const newName = (name: string, pid: number): string => basename(temporaryPath('states', { host: name, pid }));
    const dead = newName(host.name, host.pid + 1);
    const own = newName(host.name, host.pid);
    const elsewhere = newName('elsewhere', host.pid);
    const longAgo = newName('elsewhere', host.pid);
    const foreign = ['tmp.123456', 'tmp.kloset-gateway', 'README'];
    for (const kind of ['packfiles', 'states', 'locks']) {
      for (const name of [dead, own, elsewhere, longAgo, ...foreign]) await writeFile(join(folder, kind, name), 'x');
      const old = Date.now() / 1000 - 25 * 3600;
      for (const name of [longAgo, ...foreign]) await utimes(join(folder, kind, name), old, old);
    }
    const options = {
      durable: true,
      maxObjectBytes: 1e6,
      host: { ...host, isAlive: (pid: number) => pid === host.pid },
    };
    const withDeath = await FileStore.open(new LocalFileSystem(folder), options);
    expect(await withDeath.sweep()).to.equal(6);
    for (const kind of ['packfiles', 'states', 'locks']) {
      expect(await readdir(join(folder, kind))).to.have.members([own, elsewhere, ...foreign]);
    }
    expect(await store.sweep?.()).to.equal(0);
  });

  it('looks into buckets that are links to another disk, where their uploads are', async () => {
    const folder = await emptyStore();
    const elsewhere = await tempFolder();
    await mkdir(join(folder, 'packfiles'), { recursive: true });
    await symlink(elsewhere, join(folder, 'packfiles/aa'));
    // Links that lead back are followed once.
    for (const name of ['bb', 'cc']) await symlink('.', join(folder, 'packfiles', name));
    const dead = basename(temporaryPath('packfiles/aa', { host: host.name, pid: host.pid + 1 }));
    for (const name of [dead, 'README']) await writeFile(join(elsewhere, name), 'x');
    const options = { durable: true, maxObjectBytes: 1e6, host: { ...host, isAlive: () => false } };
    expect(await (await FileStore.open(new LocalFileSystem(folder), options)).sweep()).to.equal(1);
    expect(await readdir(elsewhere)).to.deep.equal(['README']);
  });
});

describe('a store whose file server lacks what writing needs', () => {
  it('is read-only, says so, and refuses to be written', async () => {
    const folder = await emptyStore();
    const options = { durable: true, maxObjectBytes: 1e6, host, readOnly: true };
    const store = await FileStore.open(new LocalFileSystem(folder), options);
    expect(store.info().access).to.equal('read-only');
    const ref = newRef('state');
    await expectFailure(store.put(ref, inChunks(makeObject('state', 100))), 'unimplemented');
    await expectFailure(store.delete(ref), 'unimplemented');
    expect(await listAll(store, 'state')).to.deep.equal([]);
  });
});

describe('a location that is not a store', () => {
  it('is refused with what was looked for and how to make a store', async () => {
    const folder = await tempFolder();
    const error = await open(folder).then(
      () => undefined,
      (caught: Error) => caught,
    );
    expect(error?.message).to.include(`${folder} is not a Kloset store`).and.include(`${folder}/CONFIG`);
    expect(error?.message).to.include(`plakar at ${folder} create`);
  });

  it('is refused where CONFIG is something else', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'CONFIG'), 'server:\n  port: 1\n');
    const error = await open(folder).then(
      () => undefined,
      (caught: Error) => caught,
    );
    expect(error?.message).to.include("its CONFIG is not a Kloset store's");
  });

  it('is refused where CONFIG is far too large to be one, and leaves no file open', async () => {
    const folder = await emptyStore();
    const store = await open(folder);
    await truncate(join(folder, 'CONFIG'), 2 ** 20);
    const error = await expectFailure(store.config(ctx), 'unavailable');
    expect(error.message).to.include('too large');
    await untilOpenFiles(0, folder);
  });
});
