import { expect } from 'chai';
import fs, { chown, lstat, mkdir, writeFile } from 'node:fs/promises';
import nodeFs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { FolderVersions } from '../../../src/backends/local/folder-versions.js';
import { guardedFileSystem } from '../../../src/backends/local/guarded-file-system.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { expectFailure } from '../../support/store.js';
import { tempFolder } from '../../support/temp.js';

type Readdir = (path: string, options?: { readonly withFileTypes?: boolean }) => Promise<unknown>;

const { readdir } = fs;

/** Replaces readdir(3) for this test. */
function replaceReaddir(replacement: Readdir): void {
  Object.assign(fs, { readdir: replacement });
  syncBuiltinESMExports();
}
import { fileThreads } from '../../../src/backends/local/thread-share.js';

describe('A local folder on a file system that does not tell the types of names', () => {
  afterEach(() => replaceReaddir(readdir as Readdir));

  it('lists what is there, and passes over a name that has gone meanwhile', async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'locks', 'folder'), { recursive: true });
    await writeFile(join(folder, 'locks', 'file'), '');
    // As Node fails there: it looks at each name.
    replaceReaddir(async (path, options) => {
      if (options?.withFileTypes === true) throw Object.assign(new Error('lstat failed'), { code: 'ENOENT' });
      return [...(await readdir(path)), 'gone'];
    });
    const files = new LocalFileSystem(folder);
    const entries = await files.list('locks');
    expect(entries.sort((a, b) => (a.name < b.name ? -1 : 1))).to.deep.equal([
      { name: 'file', type: 'file' },
      { name: 'folder', type: 'folder' },
    ]);
    await expectFailure(files.list('missing'), 'not_found');
  });
});

describe('A local folder on a file system that may not tell the types of names', () => {
  it('is given in batches as well', async () => {
    const versions = new FolderVersions();
    versions.isLocalDisk = async () => false;
    const folder = await tempFolder();
    await writeFile(join(folder, 'file'), '');
    const batches = [];
    for await (const batch of new LocalFileSystem(folder, versions).batches('.')) batches.push(batch);
    expect(batches).to.deep.equal([[{ name: 'file', type: 'file' }]]);
  });
});

describe('A folder that root makes', () => {
  it("is that of whoever has the one that it is in, with the permissions that were asked for, unless it's root's", async () => {
    const folder = await tempFolder();
    const files = new LocalFileSystem(folder);
    await files.makeFolder('root', 0o750);
    await files.makeFolder('user', 0o750);
    await chown(join(folder, 'user'), 65534, 65533);
    await files.makeFolder('user/inner', 0o2750);
    await files.makeFolder('user/inner/most', 0o700);
    const found = await Promise.all(['root', 'user/inner', 'user/inner/most'].map((path) => lstat(join(folder, path))));
    expect(found.map(({ uid, gid, mode }) => [uid, gid, mode & 0o7777])).to.deep.equal([
      [0, 0, 0o750],
      [65534, 65533, 0o2750],
      [65534, 65533, 0o700],
    ]);
  });
});

describe('Reads of a local folder', () => {
  const { readSync } = nodeFs;

  afterEach(() => {
    Object.assign(nodeFs, { readSync });
    syncBuiltinESMExports();
  });

  for (const [where, isLocal] of [
    ["this machine's disk", true],
    ['a file system that may wait for another machine', false],
  ] as const) {
    it(`${isLocal ? 'may' : 'never'} block the process on ${where}`, async () => {
      const versions = new FolderVersions();
      versions.isLocalDisk = async () => isLocal;
      const folder = await tempFolder();
      await writeFile(join(folder, 'file'), 'bytes');
      let blocking = 0;
      Object.assign(nodeFs, { readSync: (...args: Parameters<typeof readSync>) => (blocking++, readSync(...args)) });
      syncBuiltinESMExports();
      const file = await guardedFileSystem(new LocalFileSystem(folder, versions), fileThreads.share()).open('file');
      const target = Buffer.alloc(5);
      expect(await file.read(target, 0, 5)).to.equal(5);
      await file.close();
      expect([target.toString(), blocking]).to.deep.equal(['bytes', isLocal ? 1 : 0]);
    });
  }
});
