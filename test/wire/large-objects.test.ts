import { expect } from 'chai';
import { mkdir, open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kindFolder } from '../../src/backends/files/layout.js';
import type { ObjectRef } from '../../src/core/object.js';
import type { Store } from '../../src/core/store.js';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef, seededBytes } from '../support/objects.js';
import { ctx, eventually, getAll, putAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { openFiles, untilOpenFiles } from './support/folders.js';
import { compile, killProcesses, startProcess, type GatewayProcess } from './support/process.js';
import { protocols as allProtocols } from './support/protocols.js';
import { getPath, getRequest } from './support/raw-grpc.js';
import { RawHttp, requestHead } from './support/raw-http.js';
import { RawHttp2 } from './support/raw-http2.js';

const MiB = 1024 * 1024;
const size = 1024 * MiB;

/** The documented limit of the process's memory, whatever the sizes of objects. */
const limitMiB = 200;

const protocols: Readonly<Record<string, (gateway: GatewayProcess) => Store>> = {
  HTTP: ({ httpPort }) => new HttpStore(httpPort),
  gRPC: ({ grpcPort }) => new GrpcStore(grpcPort),
};

describe('An object of 1 GiB', function () {
  this.timeout(120_000);
  let folder: string;
  let gateway: GatewayProcess;
  let ref: ObjectRef;
  let program: readonly string[];

  before(async () => {
    program = await compile();
  });

  beforeEach(async () => {
    folder = await emptyStore();
    ref = await plantSparse(folder);
    gateway = await startProcess(folder, ['--allow-delete', '--durability', 'none'], { program });
  });

  afterEach(killProcesses);

  for (const [protocol, connect] of Object.entries(protocols)) {
    it(`goes down over ${protocol} with less than ${limitMiB} MiB of memory`, async () => {
      const store = connect(gateway);
      expect(await countBytes(store, ref)).to.equal(size);
      expect(gateway.memory().peak).to.be.lessThan(limitMiB);
      await store.close();
    });

    it(`goes up over ${protocol} with less than ${limitMiB} MiB of memory`, async () => {
      const store = connect(gateway);
      const target = newRef('packfile');
      await store.put(target, blankObject(), ctx);
      expect(gateway.memory().peak).to.be.lessThan(limitMiB);
      expect((await stat(fileOf(folder, target))).size).to.equal(size);
      await store.delete(target, ctx);
      await store.close();
    });
  }

  it(`asked for by 10 HTTP clients that read nothing takes less than ${limitMiB} MiB of memory`, async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => RawHttp.connect(gateway.httpPort)));
    for (const client of clients) {
      client.socket.pause();
      await client.send(requestHead('GET', `/resources/states/${ref.mac}`));
    }
    await expectFlat();
    for (const client of clients) client.close();
    await untilReleased();
  });

  it(`asked for by 10 gRPC clients that open no window takes less than ${limitMiB} MiB of memory`, async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => RawHttp2.connect(gateway.grpcPort)));
    for (const client of clients) {
      await client.data(client.request(getPath), getRequest(ref), { endStream: true });
    }
    await expectFlat();
    for (const client of clients) expect(client.dataReceived).to.equal(65535);
    for (const client of clients) client.close();
    await untilReleased();
  });

  it('does not delay other clients while some that read nothing have it open', async () => {
    const slow = await RawHttp.connect(gateway.httpPort);
    slow.socket.pause();
    await slow.send(requestHead('GET', `/resources/states/${ref.mac}`));
    for (const connect of Object.values(protocols)) {
      const store = connect(gateway);
      expect((await store.config(ctx)).length).to.be.greaterThan(47);
      await store.close();
    }
    slow.close();
  });

  /** Waits until the file is closed. The gateway keeps packfiles open until they are deleted and their last reader is done. */
  async function untilReleased(): Promise<void> {
    const store = new HttpStore(gateway.httpPort);
    await store.delete(ref);
    await store.close();
    await untilOpenFiles(0, folder, gateway.pid);
  }

  /** While clients have the object open and don't read, memory stays under the limit. */
  async function expectFlat(): Promise<void> {
    await eventually(async () => openFiles(folder, gateway.pid) > 0, 'the object is open');
    // If the gateway read ahead for them, its memory would grow within this time.
    for (let i = 0; i < 15; i++) {
      await sleep(100);
      expect(gateway.memory().now).to.be.lessThan(limitMiB);
    }
    expect(gateway.memory().peak).to.be.lessThan(limitMiB);
  }
});

describe('A packfile of 64 MiB, as plakar 1.1.5 and later make them', function () {
  this.timeout(120_000);
  const bytes = Buffer.concat([makeObject('packfile', 48), seededBytes(64 * MiB - 48, 'packfile')]);
  let program: readonly string[];

  before(async () => {
    program = await compile();
  });

  afterEach(killProcesses);

  const writing = allProtocols.filter(({ name, tls }) => !tls && !name.startsWith('ReadRanges'));
  for (const { name, frontend, connect } of writing) {
    it(`goes up and down through ${name} as it is, with the default limits and little memory`, async () => {
      const gateway = await startProcess(await emptyStore(), ['--allow-write', '--durability', 'none'], { program });
      const store = await connect(frontend === 'http' ? gateway.httpPort : gateway.grpcPort, {});
      const packfile = newRef('packfile');
      await putAll(store, packfile, bytes);
      expect((await getAll(store, packfile)).equals(bytes)).to.equal(true);
      expect(gateway.memory().peak).to.be.lessThan(limitMiB);
      await store.close();
    });
  }
});

/** Puts a sparse object into a store's folder: a header and a hole, which take no space on the disk. */
async function plantSparse(folder: string): Promise<ObjectRef> {
  const ref = newRef('state');
  await mkdir(join(folder, kindFolder(ref.kind), ref.mac.slice(0, 2)));
  await writeFile(fileOf(folder, ref), makeObject('state', 48));
  const file = await open(fileOf(folder, ref), 'r+');
  await file.truncate(size);
  await file.close();
  return ref;
}

function fileOf(folder: string, { kind, mac }: ObjectRef): string {
  return join(folder, kindFolder(kind), mac.slice(0, 2), mac);
}

async function* blankObject(): AsyncGenerator<Uint8Array> {
  yield makeObject('packfile', MiB);
  const blank = Buffer.alloc(MiB);
  for (let sent = MiB; sent < size; sent += MiB) yield blank;
}

async function countBytes(store: Store, ref: ObjectRef): Promise<number> {
  const read = await store.get(ref, undefined, ctx);
  let count = 0;
  for await (const chunk of read.data instanceof Uint8Array ? [read.data] : read.data) count += chunk.length;
  return count;
}
