import { expect } from 'chai';
import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { OpenedStore } from '../../src/backends/backend.js';
import { FileStore } from '../../src/backends/files/file-store.js';
import { objectPath } from '../../src/backends/files/layout.js';
import type { Host } from '../../src/backends/files/sweep.js';
import { GatewayStore } from '../../src/backends/gateway/gateway-store.js';
import { LocalFileSystem } from '../../src/backends/local/local-file-system.js';
import { openSftp } from '../../src/backends/sftp/open-sftp.js';
import type { ObjectRead } from '../../src/core/store.js';
import { chunksOf } from '../../src/integrity/object-reader.js';
import { Layer } from '../../src/layers/layer.js';
import { copyStore, type CopyReport } from '../../src/replication/copy.js';
import type { Side } from '../../src/replication/failures.js';
import { total, type CopiedRef } from '../../src/replication/report.js';
import { randomNumbers } from '../integrity/support/copies.js';
import { silent } from '../support/gateway.js';
import { makeObject, newRef } from '../support/objects.js';
import { freePort, hasSshd, Sshd } from '../support/sshd.js';
import { ctx, eventually, putAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { killProcesses, startProcess, type GatewayProcess } from '../wire/support/process.js';

/** Each is read and sent in several parts. */
const objectBytes = 200_000;
const packfilesPerBackup = 4;
const jobs = 2;

/** A server of a store. */
interface Server {
  start(): Promise<void>;
  /** Kills all its processes at once. */
  kill(): Promise<void>;
  /** @param attempt tells the processes of several attempts apart */
  open(attempt: number): Promise<OpenedStore>;
}

class GatewayServer implements Server {
  private process: GatewayProcess | undefined;
  private port: number | undefined;

  constructor(private readonly folder: string) {}

  async start(): Promise<void> {
    this.port ??= await freePort();
    const listeners = ['--listen', '127.0.0.1:0', '--grpc-listen', `127.0.0.1:${this.port}`];
    this.process = await startProcess(undefined, [this.folder, ...listeners, '--allow-write']);
  }

  async kill(): Promise<void> {
    this.process?.signal('SIGKILL');
    await this.process?.exited;
  }

  open(): Promise<OpenedStore> {
    return GatewayStore.open({ address: `127.0.0.1:${this.port}` });
  }
}

/** OpenSSH's, with the processes of its sessions. */
class SshServer implements Server {
  constructor(
    private readonly sshd: Sshd,
    private readonly folder: string,
  ) {}

  start(): Promise<void> {
    return this.sshd.resume();
  }

  kill(): Promise<void> {
    return this.sshd.pause();
  }

  async open(attempt: number): Promise<OpenedStore> {
    const files = await openSftp(this.sshd.location(this.folder), this.sshd.options, silent);
    return FileStore.open(files, storeOptions(attempt));
  }
}

/** A store decorator that waits for something in the middle of each chunk that is read. */
class HalvedReads extends Layer {
  constructor(
    inner: OpenedStore,
    private readonly half: () => Promise<void>,
  ) {
    super(inner);
  }

  override async get(...args: Parameters<Layer['get']>): Promise<ObjectRead> {
    const read = await this.inner.get(...args);
    return { ...read, data: this.halves(read), release: (sent) => read.release(sent) };
  }

  private async *halves(read: ObjectRead): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunksOf(read)) {
      const middle = chunk.length >> 1;
      yield chunk.subarray(0, middle);
      await this.half();
      yield chunk.subarray(middle);
    }
  }
}

describe('a copy whose source or destination is killed', function () {
  this.timeout(180_000);
  let source: string;
  let destination: string;
  /** What was backed up into the source, in this order: a state, and the packfiles that it and no state before needs. */
  let backups: { readonly state: CopiedRef; readonly packfiles: readonly CopiedRef[] }[];
  const closing: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    [source, destination, backups] = [await emptyStore(), await emptyStore(), []];
    for (let i = 0; i < 3; i++) await backUp();
  });

  afterEach(async () => {
    await killProcesses();
    for (const close of closing.splice(0)) await close();
  });

  async function backUp(): Promise<void> {
    const store = await openFolder(source, 0);
    const put = async <K extends CopiedRef['kind']>(kind: K): Promise<CopiedRef> => {
      const ref = { ...newRef(kind), kind };
      await putAll(store, ref, makeObject(kind, objectBytes, ref.mac));
      return ref;
    };
    const packfiles = [];
    for (let i = 0; i < packfilesPerBackup; i++) packfiles.push(await put('packfile'));
    backups.push({ packfiles, state: await put('state') });
    await store.close();
  }

  /** Copies as a process of its own does. @param kill is called in the middle of an object, after so many others were copied */
  async function copy(
    servers: Record<Side, Server>,
    attempt: number,
    after = Infinity,
    kill: () => Promise<void> = never,
  ): Promise<CopyReport> {
    const [from, to] = [await servers.source.open(attempt), await servers.destination.open(attempt)];
    let copied = 0;
    let killing: Promise<void> | undefined;
    const half = async (): Promise<void> => {
      if (copied >= after) await (killing ??= kill());
    };
    try {
      await to.sweep?.();
      const on = { copied: () => void copied++ };
      return await copyStore(new HalvedReads(from, half), to, { jobs, pauseMs: 10, compareAll: true, on }, ctx);
    } finally {
      await Promise.all([from.close(), to.close()]);
    }
  }

  /**
   * Copies as often as a server is to be killed, each time in the middle of a random object, and started again while the copy tries to go on; a backup
   * arrives before the next copy. The last copy gets what is left.
   */
  async function survives(servers: Record<Side, Server>, killed: readonly Side[], seed: number): Promise<void> {
    const random = randomNumbers(seed);
    await Promise.all([servers.source.start(), servers.destination.start()]);
    for (const [attempt, side] of killed.entries()) {
      const left = backups.length * (packfilesPerBackup + 1) - (await objectsIn(destination)).size;
      const after = Math.floor(random() * left);
      const when = `the ${side} killed after ${after} of ${left} objects`;
      let checked: Promise<unknown> | undefined;
      let restarted: Promise<void> | undefined;
      const kill = async (): Promise<void> => {
        await servers[side].kill();
        checked = expectGood(when).then(
          () => undefined,
          (error: unknown) => error,
        );
        await checked;
        restarted = servers[side].start();
      };
      // Whether it comes to its end depends on how soon the server is there again.
      await copy(servers, attempt, after, kill).catch(() => undefined);
      expect(checked, `${when}: it was not`).to.be.a('promise');
      expect(await checked).to.equal(undefined);
      await restarted;
      await expectGood(when);
      await backUp();
    }
    const { missing, differing } = await copy(servers, killed.length);
    expect({ missing: total(missing).objects, differing }).to.deep.equal({ missing: 0, differing: [] });
    expect(await objectsIn(destination)).to.deep.equal(await objectsIn(source));
    const expected = (await filesIn(source)).sort();
    // A gateway looks for what was left once it serves.
    await eventually(
      async () => isDeepStrictEqual((await filesIn(destination)).sort(), expected),
      'nothing is left over',
    );
  }

  /** Each object has the source's bytes, and each state has its packfiles and those of the states before. */
  async function expectGood(when: string): Promise<void> {
    const [there, all] = [await objectsIn(destination), await objectsIn(source)];
    for (const [path, digest] of there) expect(digest, `${when}: ${path}`).to.equal(all.get(path));
    const newest = backups.findLastIndex(({ state }) => there.has(objectPath(state)));
    const needed = backups.slice(0, newest + 1).flatMap(({ packfiles }) => packfiles.map(objectPath));
    expect([...there.keys()], when).to.include.members(needed);
  }

  it('goes on from a good store, and leaves nothing over, where both are gateways', async () => {
    const servers = { source: new GatewayServer(source), destination: new GatewayServer(destination) };
    await survives(servers, ['destination', 'source'], 1);
  });

  it('goes on from a good store, and leaves nothing over, where both are SSH servers', async function () {
    if (!process.env['CI'] && !hasSshd()) this.skip();
    const start = async (folder: string): Promise<Server> => {
      const sshd = await Sshd.start();
      closing.push(() => sshd.stop());
      await sshd.pause();
      return new SshServer(sshd, folder);
    };
    const servers = { source: await start(source), destination: await start(destination) };
    await survives(servers, ['destination', 'source', 'destination', 'source'], 2);
  });
});

async function never(): Promise<void> {
  throw new Error('it is not to be killed');
}

/** Attempts are processes of their own, and those before it are gone. */
function storeOptions(attempt: number): Parameters<typeof FileStore.open>[1] {
  const host: Host = { name: 'test-host', pid: attempt + 1, startedMs: 0, isAlive: (pid) => pid === attempt + 1 };
  return { durable: true, maxObjectBytes: 64 * 1024 * 1024, writable: true, host };
}

function openFolder(folder: string, attempt: number): Promise<FileStore> {
  return FileStore.open(new LocalFileSystem(folder), storeOptions(attempt));
}

/** All files of a store, by their paths. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
}

/** Digests of all objects, by their paths. */
async function objectsIn(folder: string): Promise<Map<string, string>> {
  const paths = (await filesIn(folder)).filter((path) => /[0-9a-f]{64}$/.test(path)).sort();
  const digests = paths.map(async (path) => [path, hash('sha256', await readFile(join(folder, path)))] as const);
  return new Map(await Promise.all(digests));
}
