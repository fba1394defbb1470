import { expect } from 'chai';
import { readdir } from 'node:fs/promises';
import { FileStore } from '../../../src/backends/files/file-store.js';
import { FreeSpace } from '../../../src/backends/files/free-space.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { StoreError } from '../../../src/core/errors.js';
import { host } from '../../support/gateway.js';
import { makeObject, newRef } from '../../support/objects.js';
import { expectFailure, getAll, listAll, putAll } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';

/** A disk that gets fuller only when the test says so. */
class Disk {
  looks = 0;
  constructor(public free: number | undefined) {}

  async freeBytes(): Promise<number | undefined> {
    this.looks++;
    await new Promise((resolve) => setImmediate(resolve));
    return this.free;
  }
}

async function* chunks(count: number, size: number, onYield: () => void = () => undefined): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    onYield();
    yield Buffer.alloc(size);
  }
}

/** Writes an upload, to `disk` if it is to get fuller by that. Resolves to the bytes. */
async function consume(body: AsyncIterable<Uint8Array>, disk?: Disk): Promise<number> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (disk?.free !== undefined) disk.free -= chunk.length;
  }
  return bytes;
}

describe('FreeSpace', () => {
  let nowMs: number;
  const space = (disk: Disk, minFreeBytes: number): FreeSpace =>
    new FreeSpace(disk, 'packfiles', minFreeBytes, () => nowMs);

  beforeEach(() => {
    nowMs = 0;
  });

  it('lets an upload use everything but what has to stay free, to the last byte', async () => {
    const [enough, less] = [new Disk(1500), new Disk(1499)];
    expect(await consume(space(enough, 500).guard(chunks(10, 100)), enough)).to.equal(1000);
    const work = consume(space(less, 500).guard(chunks(10, 100)), less);
    const { message } = await expectFailure(work, 'no_space');
    expect(less.free).to.equal(599);
    expect(message).to.include('500 B of it are kept free (min-free-space)');
  });

  it('refuses an upload before its first byte if there is no room', async () => {
    let asked = false;
    const body = space(new Disk(400), 500).guard(chunks(1, 1, () => (asked = true)));
    await expectFailure(consume(body), 'no_space');
    expect(asked).to.equal(false);
  });

  it('counts concurrent uploads together', async () => {
    const disk = new Disk(1500);
    const guard = space(disk, 500);
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => consume(guard.guard(chunks(1, 100)), disk)),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(10);
    expect(disk.free).to.equal(500);
  });

  it('sees what others wrote, after a second at most', async () => {
    const disk = new Disk(10_000);
    const guard = space(disk, 500);
    await consume(guard.guard(chunks(1, 100)));
    disk.free = 400;
    await consume(guard.guard(chunks(1, 100)));
    nowMs = 1001;
    await expectFailure(consume(guard.guard(chunks(1, 100))), 'no_space');
  });

  it('ends a running upload when the disk gets too full', async () => {
    const disk = new Disk(10_000);
    const guard = space(disk, 500);
    const filling = chunks(50, 100, () => {
      nowMs += 300;
      disk.free = (disk.free ?? 0) - 1000;
    });
    await expectFailure(consume(guard.guard(filling)), 'no_space');
    disk.free = 10_000;
    expect(await consume(guard.guard(chunks(10, 100)))).to.equal(1000);
  });

  it('measures again before it refuses: failed uploads free what they used', async () => {
    const disk = new Disk(1500);
    const guard = space(disk, 500);
    for (let i = 0; i < 5; i++) expect(await consume(guard.guard(chunks(10, 100)))).to.equal(1000);
  });

  it('measures once a second, and not for every chunk', async () => {
    const disk = new Disk(1e9);
    await consume(space(disk, 500).guard(chunks(1000, 100, () => (nowMs += 1))));
    expect(disk.looks).to.equal(1);
  });

  it('lets everything pass if the free space is unknown, if nothing has to stay free, and if the disk is gone', async () => {
    expect(await consume(space(new Disk(undefined), 500).guard(chunks(10, 100)))).to.equal(1000);
    const disk = new Disk(0);
    expect(await consume(space(disk, 0).guard(chunks(10, 100)))).to.equal(1000);
    expect(disk.looks).to.equal(0);
    const gone = { freeBytes: () => Promise.reject(new StoreError('not_found', 'no such file or folder')) };
    expect(await consume(new FreeSpace(gone, 'packfiles', 500).guard(chunks(10, 100)))).to.equal(1000);
  });

  it('fails with the error of the disk', async () => {
    const broken = { freeBytes: () => Promise.reject(new StoreError('unavailable', 'no connection')) };
    await expectFailure(consume(new FreeSpace(broken, 'packfiles', 500).guard(chunks(10, 100))), 'unavailable');
  });
});

describe('a store on a disk with less room than has to stay free', () => {
  it('refuses packfiles and states, but not locks and what is there already; reads and deletes work as usual', async () => {
    const folder = await emptyStore();
    const disk = new LocalFileSystem(folder);
    const options = { durable: true, maxObjectBytes: 1e6, minFreeBytes: 1e9, host };
    const store = await FileStore.open(disk, options);
    disk.freeBytes = () => Promise.resolve(2e9);
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 1000);
    await putAll(store, ref, bytes);
    disk.freeBytes = () => Promise.resolve(1e9 - 1);
    const full = await FileStore.open(disk, options);
    for (const kind of ['packfile', 'state'] as const) {
      const { message } = await expectFailure(putAll(full, newRef(kind), makeObject(kind, 1000)), 'no_space');
      expect(message).to.not.include(folder);
    }
    expect(await putAll(full, ref, bytes)).to.equal(false);
    await putAll(full, newRef('lock'), makeObject('lock', 100));
    expect((await getAll(full, ref)).equals(bytes)).to.equal(true);
    await full.delete(ref);
    expect(await listAll(full, 'packfile')).to.deep.equal([]);
    await store.close();
    await full.close();
    expect((await readdir(folder, { recursive: true })).filter((name) => name.includes('tmp.'))).to.deep.equal([]);
  });
});
