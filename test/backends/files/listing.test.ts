import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Listing } from '../../../src/backends/files/listing.js';
import { FolderVersions } from '../../../src/backends/local/folder-versions.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { parseMac, type Mac } from '../../../src/core/object.js';
import { randomMacIn } from '../../support/objects.js';
import { expectFailure } from '../../support/store.js';
import { emptyStore, tempFolder } from '../../support/temp.js';

/** Longer than the kernel gives all changes the same time. */
const tickMs = 20;

/** A folder of this machine by a clock that is fast, so that nothing is too new to be remembered; counts what is read. */
class CountingFileSystem extends LocalFileSystem {
  readonly listed: string[] = [];

  constructor(root: string, aheadMs = 60_000) {
    super(root, new FolderVersions(() => Date.now() + aheadMs));
  }

  override list(path: string): ReturnType<LocalFileSystem['list']> {
    this.listed.push(path);
    return super.list(path);
  }
}

describe('lists of a store in folders', () => {
  let folder: string;
  let files: CountingFileSystem;
  let listing: Listing;

  const pathOf = (mac: Mac): string => join(folder, 'packfiles', mac.slice(0, 2), mac);

  async function add(bucket: string): Promise<Mac> {
    const mac = randomMacIn(bucket);
    await mkdir(join(folder, 'packfiles', bucket), { recursive: true });
    await writeFile(pathOf(mac), '');
    return mac;
  }

  async function list(): Promise<Mac[]> {
    const macs: Mac[] = [];
    for await (const batch of listing.list('packfile')) macs.push(...batch);
    return macs.sort();
  }

  /** The buckets that a list reads, once what it is about has settled. */
  async function bucketsRead(): Promise<string[]> {
    await sleep(tickMs);
    files.listed.length = 0;
    await list();
    return files.listed.filter((path) => path.startsWith('packfiles/')).sort();
  }

  beforeEach(async () => {
    folder = await emptyStore();
    files = new CountingFileSystem(folder);
    listing = new Listing(files);
  });

  it('read only the folders that have changed since the last list', async () => {
    for (const bucket of ['00', 'ab', 'ff']) await add(bucket);
    expect(await bucketsRead()).to.deep.equal(['packfiles/00', 'packfiles/ab', 'packfiles/ff']);
    expect(await bucketsRead()).to.deep.equal([]);
    await add('ab');
    expect(await bucketsRead()).to.deep.equal(['packfiles/ab']);
    expect(await bucketsRead()).to.deep.equal([]);
  });

  it('show what another process adds and removes right after a list', async () => {
    const first = await add('ab');
    const second = randomMacIn('ab');
    await bucketsRead();
    await sleep(tickMs);
    spawnSync('touch', [pathOf(second)]);
    expect(await list()).to.deep.equal([first, second].sort());
    await sleep(tickMs);
    spawnSync('rm', [pathOf(first)]);
    expect(await list()).to.deep.equal([second]);
  });

  it('show changes of a folder whose modification time is set back', async () => {
    const first = await add('ab');
    const bucket = join(folder, 'packfiles', 'ab');
    spawnSync('touch', ['-d', '2020-01-01', bucket]);
    await bucketsRead();
    const second = await add('ab');
    spawnSync('touch', ['-d', '2020-01-01', bucket]);
    expect(await list()).to.deep.equal([first, second].sort());
  });

  it('never miss changes that follow one another faster than the clock ticks', async () => {
    files = new CountingFileSystem(folder, 0);
    listing = new Listing(files);
    const present: Mac[] = [];
    for (let turn = 0; turn < 200; turn++) {
      present.push(await add('ab'));
      expect(await list()).to.deep.equal([...present].sort());
    }
  });

  it('show the content of a folder that replaces another one, also behind a link', async () => {
    await add('ab');
    await bucketsRead();
    const mac = await add('cd');
    const elsewhere = join(await tempFolder(), 'bucket');
    const moved = parseMac(`ab${mac.slice(2)}`);
    await rename(join(folder, 'packfiles', 'cd'), elsewhere);
    await rename(join(elsewhere, mac), join(elsewhere, moved));
    await rm(join(folder, 'packfiles', 'ab'), { recursive: true });
    await symlink(elsewhere, join(folder, 'packfiles', 'ab'));
    expect(await list()).to.deep.equal([moved]);
    expect(await bucketsRead()).to.deep.equal([]);
    const another = randomMacIn('ab');
    await writeFile(join(elsewhere, another), '');
    expect(await list()).to.deep.equal([moved, another].sort());
  });

  it('fail as a whole if a folder can no longer be read', async () => {
    for (const bucket of ['00', 'ab']) await add(bucket);
    await bucketsRead();
    await rename(join(folder, 'packfiles', 'ab'), join(folder, 'moved'));
    await symlink('/nonexistent', join(folder, 'packfiles', 'ab'));
    await expectFailure(list(), 'unavailable');
  });
});
