import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rename, rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileStore } from '../../../src/backends/files/file-store.js';
import { objectPath, trashedPath } from '../../../src/backends/files/layout.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { StoreError } from '../../../src/core/errors.js';
import type { ObjectRef } from '../../../src/core/object.js';
import { host } from '../../support/gateway.js';
import { inChunks, makeObject, newRef } from '../../support/objects.js';
import { emptyStore } from '../../support/temp.js';
import { Disk, type Change } from './support/disk.js';
import { listTrash } from './support/trash.js';

const nowMs = Date.parse('2026-11-29T21:30:00Z');

const child = fileURLToPath(new URL('support/trash-child.ts', import.meta.url));

/** Notes what changes names, and fails with the change number `dieAt` and all later ones, as if the process had ended. */
class MortalFiles extends LocalFileSystem {
  readonly changes: Change[] = [];
  dieAt = Infinity;
  connectionCount = 1;
  /** Runs once, before a folder is synced. */
  beforeSync: (() => Promise<unknown>) | undefined;

  override rename(from: string, to: string): Promise<void> {
    return this.note({ name: 'rename', from, to }, () => super.rename(from, to));
  }

  override link(from: string, to: string): Promise<void> {
    return this.note({ name: 'link', from, to }, () => super.link(from, to));
  }

  override remove(path: string): Promise<void> {
    return this.note({ name: 'remove', path }, () => super.remove(path));
  }

  override makeFolder(path: string, mode: number): Promise<void> {
    return this.note({ name: 'makeFolder', path }, () => super.makeFolder(path, mode));
  }

  override async syncFolder(path: string): Promise<void> {
    const before = this.beforeSync;
    this.beforeSync = undefined;
    await before?.();
    return this.note({ name: 'sync', path }, () => super.syncFolder(path));
  }

  private async note(change: Change, make: () => Promise<void>): Promise<void> {
    if (this.changes.length + 1 >= this.dieAt) throw new StoreError('internal', 'the process was killed');
    await make();
    this.changes.push(change);
  }
}

/** What a test does with an object; all but the delete begin with it in the trash. */
const operations = {
  delete: (store: FileStore, ref: ObjectRef) => store.delete(ref),
  restore: async (store: FileStore) => {
    for (const object of await listTrash(store)) expect(await store.trash.restore(object)).to.equal(true);
  },
  remove: async (store: FileStore) => {
    for (const object of await listTrash(store)) await store.trash.remove(object);
  },
} as const;
type Operation = keyof typeof operations;

describe('A crash during a delete to the trash, a restore or a purge', () => {
  let folder: string;
  let ref: ObjectRef;

  const open = (files = new LocalFileSystem(folder)): Promise<FileStore> =>
    FileStore.open(files, { durable: true, maxObjectBytes: 1e6, host, trashes: true, now: () => nowMs });

  async function run(files: LocalFileSystem, operation: Operation): Promise<void> {
    const store = await open(files);
    try {
      await operations[operation](store, ref);
    } finally {
      await store.close();
    }
  }

  /** The paths of what is in the trash. */
  async function inTrash(): Promise<string[]> {
    const store = await open();
    const objects = await listTrash(store);
    await store.close();
    return objects.map(trashedPath);
  }

  /** Makes a store with one object: in the trash, unless it is to be deleted. */
  async function prepare(operation: Operation): Promise<void> {
    folder = await emptyStore();
    ref = newRef('state');
    const store = await open();
    await store.put(ref, inChunks(makeObject('state', 1000)));
    await utimes(join(folder, objectPath(ref)), nowMs / 1000, nowMs / 1000);
    if (operation !== 'delete') await store.delete(ref);
    // A restore has to make it again.
    if (operation === 'restore') await rm(dirname(join(folder, objectPath(ref))), { recursive: true });
    await store.close();
  }

  /** How often the object is in the store and in the trash. */
  async function places(): Promise<{ store: number; trash: number }> {
    const paths = await readdir(folder, { recursive: true });
    return { store: paths.includes(objectPath(ref)) ? 1 : 0, trash: (await inTrash()).length };
  }

  for (const operation of ['delete', 'restore', 'remove'] as const) {
    it(`of the process, at any step of a ${operation}, leaves the object once, and the next attempt ends it`, async () => {
      const steps = operation === 'remove' ? 1 : 5;
      let died = true;
      for (let dieAt = 1; died; dieAt++) {
        await prepare(operation);
        const files = new MortalFiles(folder);
        files.dieAt = dieAt;
        died = await run(files, operation).then(
          () => false,
          () => true,
        );
        if (!died) expect(dieAt, 'steps').to.be.greaterThan(steps);
        const found = await places();
        const isBetween = operation === 'restore' && found.store === 1 && found.trash === 1;
        if (operation === 'remove') expect(found.store).to.equal(0);
        else if (!isBetween) expect(found.store + found.trash, `killed at ${dieAt}`).to.equal(1);
        await run(new LocalFileSystem(folder), operation);
        const after = { delete: [0, 1], restore: [1, 0], remove: [0, 0] }[operation];
        expect(await places(), `after being killed at ${dieAt}`).to.deep.equal({ store: after[0], trash: after[1] });
      }
    });
  }

  for (const operation of ['delete', 'restore'] as const) {
    it(`of the machine, at any step of a ${operation}, never loses the object, whatever of it the disk has then`, async () => {
      await prepare(operation);
      const before = await readdir(folder, { recursive: true });
      const files = new MortalFiles(folder);
      await run(files, operation);
      const isObject = (path: string): boolean => path.includes(ref.mac);
      for (let steps = 0; steps <= files.changes.length; steps++) {
        const disk = new Disk(before);
        for (const change of files.changes.slice(0, steps)) disk.make(change);
        for (const names of disk.afterPowerCut()) {
          const found = names.filter(isObject);
          expect(found, `after ${JSON.stringify(files.changes.slice(0, steps))}`).to.not.have.length(0);
          if (steps < files.changes.length) continue;
          expect(found, 'once it is acknowledged').to.have.length(1);
          expect(found[0] === objectPath(ref)).to.equal(operation === 'restore');
        }
      }
    });
  }

  for (const operation of ['delete', 'restore'] as const) {
    for (const forgets of [true, false]) {
      it(`of the file server, which ${forgets ? 'forgot' : 'remembers'} what a ${operation} did, is made up for`, async () => {
        await prepare('delete');
        const stored = join(folder, objectPath(ref));
        // The folders are made and synced.
        await run(new LocalFileSystem(folder), 'delete');
        await run(new LocalFileSystem(folder), 'restore');
        if (operation === 'restore') await run(new LocalFileSystem(folder), 'delete');
        const files = new MortalFiles(folder);
        files.beforeSync = async () => {
          files.connectionCount++;
          if (!forgets) return;
          if (operation === 'restore') await rm(stored);
          else for (const path of await inTrash()) await rename(join(folder, path), stored);
        };
        await run(files, operation);
        expect(await places()).to.deep.equal({
          store: operation === 'restore' ? 1 : 0,
          trash: operation === 'restore' ? 0 : 1,
        });
      });
    }
  }

  it('of the machine, after a delete that found nothing where another had not synced its move yet, never loses it', async () => {
    await prepare('delete');
    const [first, second] = [new MortalFiles(folder), new MortalFiles(folder)];
    await run(first, 'delete');
    await run(second, 'delete');
    const [trashed] = await inTrash();
    if (trashed === undefined) throw new Error('nothing is in the trash');
    const before = (await readdir(folder, { recursive: true })).filter((path) => path !== trashed);
    const disk = new Disk([...before, objectPath(ref)]);
    disk.make({ name: 'rename', from: objectPath(ref), to: trashed });
    for (const change of second.changes) disk.make(change);
    for (const names of disk.afterPowerCut()) {
      expect(names.filter((path) => path.includes(ref.mac))).to.deep.equal([trashed]);
    }
  });
});

describe('A process that uses a trash', function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(async () => {
    folder = await emptyStore();
  });

  const args = (mode: string): string[] => ['--import', 'tsx', child, folder, mode];

  it('loses nothing, and has nothing twice, when it is killed while it deletes, restores and purges', async () => {
    const store = await FileStore.open(new LocalFileSystem(folder), { durable: false, maxObjectBytes: 1e6, host });
    const refs = Array.from({ length: 20 }, () => newRef('packfile'));
    for (const ref of refs) await store.put(ref, inChunks(makeObject('packfile', 1000)));
    const running = spawn(process.execPath, args('forever'), { stdio: ['ignore', 'pipe', 'inherit'] });
    // It says so with each round.
    for (let rounds = 0; rounds < 3; rounds++) await once(running.stdout, 'data');
    running.kill('SIGKILL');
    await once(running, 'close');
    // A restore may have been interrupted when both names were there: it is ended.
    for (const object of await listTrash(store)) await store.trash.restore(object);
    for (const ref of refs) expect((await store.stat(ref)).size).to.equal(1000);
    expect(await listTrash(store)).to.deep.equal([]);
    await store.close();
  });

  it('syncs folders in the order in which nothing can be lost', async function () {
    if (spawnSync('strace', ['-V']).status !== 0) this.skip();
    const trace = join(dirname(folder), 'trace');
    const calls = 'trace=fsync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,write';
    const strace = [
      '-f',
      '--seccomp-bpf',
      '-y',
      '-e',
      calls,
      '-e',
      'signal=none',
      '-o',
      trace,
      process.execPath,
      ...args('once'),
    ];
    const { status, stderr } = spawnSync('strace', strace, { encoding: 'utf8' });
    expect(status, stderr).to.equal(0);
    const steps = stepsIn(await readFile(trace, 'utf8'), folder);
    const trash = '.kloset-gateway/trash';
    expect(steps.slice(0, steps.indexOf('deleted') + 1)).to.deep.equal([
      ...['make .kloset-gateway', `make ${trash}`, `make ${trash}/hour`, `make ${trash}/hour/packfiles`],
      ...['sync .', 'sync .kloset-gateway', `sync ${trash}`, `sync ${trash}/hour`],
      ...['rename', `sync ${trash}/hour/packfiles`, 'sync packfiles/bucket', 'deleted'],
    ]);
    expect(steps.slice(steps.indexOf('deleted') + 1, steps.indexOf('restored') + 1)).to.deep.equal([
      ...['link', 'sync packfiles/bucket', 'remove from the trash', `sync ${trash}/hour/packfiles`, 'restored'],
    ]);
  });
});

/** The calls about the store's folders and the trash, from where the store has its object on. */
function stepsIn(trace: string, folder: string): string[] {
  const unfinished = new Map<string, string>();
  const steps: string[] = [];
  for (const line of trace.split('\n')) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (rest.endsWith('<unfinished ...>')) {
      unfinished.set(pid, rest);
      continue;
    }
    const call = rest.startsWith('<...') ? `${unfinished.get(pid) ?? ''} ${rest}` : rest;
    const step = / = -1 /.test(call) ? undefined : stepOf(call, folder);
    if (step !== undefined) steps.push(step);
  }
  return steps.slice(steps.indexOf('stored') + 1);
}

function stepOf(call: string, folder: string): string | undefined {
  const said = /^write\(1<.*"(stored|deleted|restored)\\n"/.exec(call)?.[1];
  if (said !== undefined) return said;
  const path = new RegExp(`["<]${folder}/?([^">]*)[">]`).exec(call)?.[1];
  if (path === undefined) return undefined;
  const place = (path || '.').replace(/\d{4}-\d\d-\d\dT\d\dZ/, 'hour').replace(/^(packfiles)\/..$/, '$1/bucket');
  if (call.startsWith('fsync')) return `sync ${place}`;
  if (call.startsWith('mkdir')) return `make ${place}`;
  if (call.startsWith('rename')) return 'rename';
  if (call.startsWith('link')) return 'link';
  return call.startsWith('unlink') && place.startsWith('.kloset-gateway') ? 'remove from the trash' : undefined;
}
