import { expect } from 'chai';
import { once } from 'node:events';
import { mkdir, open, readdir, readFile, readlink, unlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileStore } from '../../../src/backends/files/file-store.js';
import type { Host } from '../../../src/backends/files/sweep.js';
import { openSftp } from '../../../src/backends/sftp/open-sftp.js';
import type { SftpOptions } from '../../../src/backends/sftp/options.js';
import type { ObjectRef } from '../../../src/core/object.js';
import type { Store } from '../../../src/core/store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { hasSshd, Sshd } from '../../support/sshd.js';
import { ctx, eventually, expectFailure, getAll, listAll, putAll, readAll } from '../../support/store.js';
import { fixtureStore } from '../../support/temp.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const MiB = 1024 * 1024;
const connections = 3;
const host: Host = { name: 'test-host', pid: process.pid, startedMs: Date.now(), isAlive: () => true };

describe('a store behind a link that fails', function () {
  this.timeout(60_000);
  let sshd: Sshd;
  let folder: string;
  let store: Store;
  let proxy: TcpProxy | undefined;
  let socketsBefore: number;
  const warnings: string[] = [];
  const log = { info: () => undefined, warn: (_: object, message: string) => void warnings.push(message) };

  before(async function () {
    if (!hasSshd()) this.skip();
    sshd = await Sshd.start();
  });

  after(async () => {
    await sshd?.stop();
  });

  async function openStore(options: Partial<SftpOptions> = {}, port = sshd.port): Promise<void> {
    const location = { ...sshd.location(folder), port };
    const files = await openSftp(
      location,
      { ...sshd.options, connections, insecureIgnoreHostKey: port !== sshd.port, ...options },
      log,
    );
    store = await FileStore.open(files, { durable: true, maxObjectBytes: 128 * MiB, host });
  }

  beforeEach(async () => {
    warnings.length = 0;
    socketsBefore = sockets();
    folder = await fixtureStore('v1.1-plaintext/store-empty');
  });

  afterEach(async () => {
    expect(await temporaries()).to.deep.equal([]);
    await store.close();
    await proxy?.close();
    proxy = undefined;
    await eventually(async () => (await sshd.connectionProcesses()).length === 0, 'the server has no connection left');
    await eventually(() => Promise.resolve(sockets() <= socketsBefore), 'no socket of ours is left');
  });

  /** Names of temporary files that were left behind. */
  async function temporaries(): Promise<string[]> {
    return (await readdir(folder, { recursive: true })).filter((name) => name.includes('tmp.'));
  }

  /** An upload's body that calls `halfway` when half of it was taken, and waits for that. */
  async function* interrupted(bytes: Buffer, halfway: () => Promise<unknown>): AsyncGenerator<Uint8Array> {
    const size = 256 * 1024;
    for (let at = 0, done = false; at < bytes.length; at += size) {
      if (!done && at >= bytes.length / 2) {
        done = true;
        await halfway();
      }
      yield bytes.subarray(at, at + size);
    }
  }

  /** Reads an object, and calls `halfway` when half of it came. */
  async function readInterrupted(ref: ObjectRef, halfway: () => Promise<unknown>): Promise<Buffer> {
    const read = await store.get(ref, undefined, ctx);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of read.data as AsyncIterable<Uint8Array>) {
      if (size < read.length / 2 && size + chunk.length >= read.length / 2) await halfway();
      chunks.push(Buffer.from(chunk));
      size += chunk.length;
    }
    read.release();
    return Buffer.concat(chunks);
  }

  describe('when the processes that serve it are killed', () => {
    beforeEach(() => openStore());

    const kill = async (): Promise<void> => {
      expect(await sshd.killConnections()).to.be.greaterThan(0);
    };

    it('continues a put', async () => {
      const ref = newRef('packfile');
      const bytes = makeObject('packfile', 24 * MiB, 'put');
      expect(await store.put(ref, interrupted(bytes, kill), ctx)).to.deep.equal({ created: true });
      expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
    });

    it('tells of each time that it was connected to anew, and not of the first', async () => {
      await store.close();
      let reconnections = 0;
      await openStore({ connections: 1, onReconnect: () => reconnections++ });
      await listAll(store, 'state');
      expect(reconnections).to.equal(0);
      for (const count of [1, 2]) {
        await kill();
        await listAll(store, 'state');
        expect(reconnections).to.equal(count);
      }
    });

    it('continues a get', async () => {
      const ref = newRef('packfile');
      const bytes = makeObject('packfile', 48 * MiB, 'get');
      await putAll(store, ref, bytes);
      expect((await readInterrupted(ref, kill)).equals(bytes)).to.equal(true);
      expect((await getAll(store, ref, { offset: 7, length: 100 })).equals(bytes.subarray(7, 107))).to.equal(true);
    });

    it('continues a list', async () => {
      const refs = Array.from({ length: 600 }, () => newRef('packfile'));
      for (const { mac } of refs) {
        await mkdir(join(folder, 'packfiles', mac.slice(0, 2)), { recursive: true });
        await writeFile(join(folder, 'packfiles', mac.slice(0, 2), mac), '');
      }
      const listed: string[] = [];
      let batches = 0;
      for await (const batch of store.list('packfile', ctx)) {
        if (batches++ % 30 === 5) await sshd.killConnections();
        listed.push(...batch);
      }
      expect(listed.sort()).to.deep.equal(refs.map(({ mac }) => mac).sort());
    });

    it('continues everything, each time, without exceeding its connections', async () => {
      let done = false;
      const killer = (async () => {
        for (; !done; await sleep(150)) await sshd.killConnections();
      })();
      const work = Array.from({ length: 8 }, async (_, worker) => {
        for (let turn = 0; turn < 5; turn++) {
          const seed = `${worker}.${turn}`;
          const ref = newRef(turn % 2 === 0 ? 'packfile' : 'state');
          const bytes = makeObject(ref.kind, 2 * MiB + turn, seed);
          await putAll(store, ref, bytes);
          expect((await getAll(store, ref)).equals(bytes), seed).to.equal(true);
          expect(await listAll(store, ref.kind)).to.include(ref.mac);
          const lock = newRef('lock');
          await putAll(store, lock, makeObject('lock', 124, 'first'));
          await putAll(store, lock, makeObject('lock', 130, seed));
          expect((await getAll(store, lock)).equals(makeObject('lock', 130, seed))).to.equal(true);
          await store.delete(lock, ctx);
          if (turn % 2 === 1) await store.delete(ref, ctx);
          // Each connection is two processes of the server's: one of root's, and one of the user's where that is another.
          expect((await sshd.connectionProcesses()).length).to.be.at.most(3 * connections);
        }
      });
      try {
        await Promise.all(work);
      } finally {
        done = true;
        await killer;
      }
      expect(await listAll(store, 'lock')).to.deep.equal([]);
      expect(await listAll(store, 'packfile')).to.have.length(8 * 3);
      expect(await listAll(store, 'state')).to.have.length(0);
    });

    it('leaves nothing behind of a put that is canceled at the same time', async () => {
      const bytes = makeObject('packfile', 4 * MiB);
      const body = interrupted(bytes, async () => {
        await kill();
        throw new Error('the caller is gone');
      });
      const ref = newRef('packfile');
      await store.put(ref, body, ctx).then(
        () => expect.fail('it succeeded'),
        (error: unknown) => expect((error as Error).message).to.equal('the caller is gone'),
      );
      await expectFailure(store.stat(ref, ctx), 'not_found');
    });

    it('fails a put of which the server lost a part, as in a power cut', async () => {
      const ref = newRef('packfile');
      const body = interrupted(makeObject('packfile', 24 * MiB, 'reboot'), async () => {
        await eventually(async () => (await sizeOfTemporary()) > 8 * MiB, 'a part is written');
        await kill();
        const [name = ''] = await temporaries();
        const file = await open(join(folder, name), 'r+');
        await file.write(Buffer.alloc(4096), 0, 4096, 2 * MiB);
        await file.close();
      });
      const error = await expectFailure(store.put(ref, body, ctx), 'unavailable');
      expect(error.message).to.match(/lost a part/);
      await expectFailure(store.stat(ref, ctx), 'not_found');
    });

    async function sizeOfTemporary(): Promise<number> {
      const [name] = await temporaries();
      return name === undefined ? 0 : (await readFile(join(folder, name))).length;
    }
  });

  describe('when the server is stopped and comes back', () => {
    for (const seconds of [0.3, 10]) {
      it(`waits ${seconds} s in the middle of a put and a get`, async () => {
        await openStore();
        const [old, ref] = [newRef('packfile'), newRef('packfile')];
        const bytes = makeObject('packfile', 24 * MiB, 'pause');
        await putAll(store, old, bytes);
        const pause = async (): Promise<void> => {
          await sshd.pause();
          void sleep(seconds * 1000).then(() => sshd.resume());
        };
        const putting = store.put(ref, interrupted(bytes, pause), ctx);
        expect((await readInterrupted(old, () => Promise.resolve())).equals(bytes)).to.equal(true);
        expect(await putting).to.deep.equal({ created: true });
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
      });
    }

    it('is unavailable when it takes too long, and works again afterwards', async () => {
      await openStore({ giveUpMs: 1000 });
      const ref = newRef('state');
      await putAll(store, ref, makeObject('state', 1000));
      await sshd.pause();
      const startMs = Date.now();
      const error = await expectFailure(store.stat(ref, ctx), 'unavailable');
      expect(Date.now() - startMs).to.be.within(900, 5000);
      expect(error.message).not.to.match(/127|ECONN|\//);
      await expectFailure(listAll(store, 'packfile'), 'unavailable');
      await sshd.resume();
      expect((await store.stat(ref, ctx)).size).to.equal(1000);
    });
  });

  describe('when a connection hangs without being closed', () => {
    beforeEach(async () => {
      proxy = await TcpProxy.start(sshd.port);
      await openStore({ keepAliveMs: 100, connectTimeoutMs: 3000 }, proxy.port);
    });

    /** Nothing gets through for a while. */
    const hang = async (): Promise<void> => {
      proxy?.freeze();
      await Promise.resolve();
      void sleep(1500).then(() => proxy?.thaw());
    };

    it('notices within seconds, and continues a put', async () => {
      const ref = newRef('packfile');
      const bytes = makeObject('packfile', 24 * MiB, 'hang');
      const startMs = Date.now();
      await store.put(ref, interrupted(bytes, hang), ctx);
      expect(Date.now() - startMs, 'less than a request may take').to.be.below(20_000);
      expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
    });

    it('notices within seconds, and continues a get and a list', async () => {
      const ref = newRef('packfile');
      const bytes = makeObject('packfile', 48 * MiB, 'hang');
      await putAll(store, ref, bytes);
      const startMs = Date.now();
      expect((await readInterrupted(ref, hang)).equals(bytes)).to.equal(true);
      await hang();
      expect(await listAll(store, 'packfile')).to.deep.equal([ref.mac]);
      expect(Date.now() - startMs, 'less than a request may take').to.be.below(25_000);
    });

    it('notices it while it is idle', async () => {
      const before = proxy?.accepted ?? 0;
      proxy?.freeze();
      await eventually(async () => warnings.includes("a connection to the store's server was lost"), 'it is noticed');
      proxy?.thaw();
      await listAll(store, 'lock');
      expect(proxy?.accepted).to.be.greaterThan(before);
    });
  });

  it('fails if a server accepts connections and says nothing', async () => {
    const silent: Server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    await openStore();
    const { port } = silent.address() as { port: number };
    const opening = openSftp({ ...sshd.location(folder), port }, { ...sshd.options, connectTimeoutMs: 300 }, log);
    await expectFailure(opening, 'unavailable');
    silent.close();
  });

  it('keeps packfiles open up to the limit, and closes them with the store', async () => {
    await openStore({ maxOpenFiles: 10, connections: 1 });
    const refs = Array.from({ length: 40 }, () => newRef('packfile'));
    for (const ref of refs) await putAll(store, ref, makeObject('packfile', 5000, ref.mac));
    for (const ref of [...refs, ...refs]) {
      const bytes = await getAll(store, ref, { offset: 100, length: 50 });
      expect(bytes.equals(makeObject('packfile', 5000, ref.mac).subarray(100, 150))).to.equal(true);
    }
    await eventually(async () => (await openPackfiles()) === 10, 'ten packfiles are open');
    for (const ref of refs) await store.delete(ref, ctx);
    await eventually(async () => (await openPackfiles()) === 0, 'no deleted packfile is open');
  });

  it('stores again what others removed while it was open', async () => {
    await openStore();
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 5000);
    await putAll(store, ref, bytes);
    await getAll(store, ref);
    const path = join(folder, 'packfiles', ref.mac.slice(0, 2), ref.mac);
    await unlink(path);
    expect(await putAll(store, ref, bytes)).to.equal(true);
    expect((await readFile(path)).equals(bytes)).to.equal(true);
  });

  it('reads on while a packfile that is being read is deleted', async () => {
    await openStore({ connections: 1 });
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 24 * MiB);
    await putAll(store, ref, bytes);
    const read = await store.get(ref, undefined, ctx);
    await store.delete(ref, ctx);
    expect((await readAll(read)).equals(bytes)).to.equal(true);
    await expectFailure(store.get(ref, undefined, ctx), 'not_found');
    await eventually(async () => (await openPackfiles()) === 0, 'the deleted packfile is closed');
  });

  /** How many packfiles the server has open, by what Linux says in /proc. */
  async function openPackfiles(): Promise<number> {
    let count = 0;
    for (const pid of await sshd.connectionProcesses()) {
      for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
        const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
        if (target.startsWith(`${folder}/packfiles/`)) count++;
      }
    }
    return count;
  }
});

/** How many sockets this process has open. */
function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name.includes('TCPSocket')).length;
}
