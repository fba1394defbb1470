import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenDigest } from '../../src/auth/tokens.js';
import type { Store } from '../../src/core/store.js';
import { Authority } from '../support/certificate.js';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { eventually, getAll, listAll, putAll } from '../support/store.js';
import { emptyStore, tempFolder } from '../support/temp.js';
import { untilClean } from './support/folders.js';
import { compile, killProcesses, startProcess, type GatewayProcess } from './support/process.js';
import { crowds, endStuckClients, startStuckClients } from './support/stuck-clients.js';

const MiB = 1024 * 1024;

/** By how much the gateway's memory may grow, in MiB: two chunks of 1 MiB for each of 250 downloads, and 50 KiB for each connection. */
const maxGrowthMiB = 600;

const login = { authorization: 'Bearer token-of-ann' };

describe('A gateway with very many connections', function () {
  this.timeout(180_000);
  let program: readonly string[];
  let folder: string;
  let gateway: GatewayProcess;
  let httpsPort: number;

  before('compile the program', async () => {
    program = await compile();
  });

  beforeEach(async () => {
    folder = await emptyStore();
    const { certFile: cert, keyFile: key } = await (await Authority.create()).issue();
    const config = {
      listen: [
        { name: 'plain', address: '127.0.0.1:0', tls: false },
        { name: 'tls', address: '127.0.0.1:0' },
      ],
      'grpc-listen': [{ address: '127.0.0.1:0', tls: false }],
      cert,
      key,
      stores: { '': { location: folder, anonymous: 'append' } },
      principals: { ann: { tokens: [`sha256:${tokenDigest('token-of-ann')}`], access: { '*': 'full' } } },
      'header-timeout': '5m',
      'min-free-space': 0,
      durability: 'none',
      workers: 1,
    };
    const file = join(await tempFolder(), 'gateway.yaml');
    // JSON is YAML, too.
    await writeFile(file, JSON.stringify(config), { mode: 0o600 });
    gateway = await startProcess(undefined, ['--config', file], { program });
    const addresses = gateway.log.flatMap(({ http }) => (typeof http === 'string' ? [http] : []));
    httpsPort = Number(addresses[1]?.split(':').at(-1));
  });

  afterEach(async () => {
    endStuckClients();
    await killProcesses();
  });

  const descriptors = (): number => readdirSync(`/proc/${gateway.pid}/fd`).length;

  /** What an ordinary client does: reads ranges, puts states and lists locks. */
  async function work(store: Store): Promise<void> {
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', MiB);
    await putAll(store, ref, bytes);
    for (let round = 0; round < 100; round++) {
      const range = { offset: round * 1000, length: 65_536 };
      const expected = bytes.subarray(range.offset, range.offset + range.length);
      expect((await getAll(store, ref, range)).equals(expected)).to.equal(true);
      await putAll(store, newRef('state'), makeObject('state', 5000));
      expect(await listAll(store, 'lock')).to.deep.equal([]);
    }
  }

  it('serves an ordinary client while 2,000 others are slow or stuck, and frees what those had', async () => {
    const http = new HttpStore(gateway.httpPort, login);
    const grpc = new GrpcStore(gateway.grpcPort, login);
    const large = newRef('packfile');
    await putAll(http, large, makeObject('packfile', 8 * MiB));
    for (const store of [http, grpc]) await work(store);
    const memoryBefore = gateway.memory().now;
    const openBefore = descriptors();

    // Their timeout is short, and those of the other 1,750 are not.
    const handshakes = 250;
    const stuck = await startStuckClients([
      crowds.halfHeader(gateway.httpPort, 800),
      crowds.silent(gateway.grpcPort, 200),
      crowds.trickledUpload(gateway.httpPort, 500),
      crowds.stuckDownload(gateway.httpPort, 250, `/resources/packfiles/${large.mac}`),
      crowds.halfHandshake(httpsPort, handshakes),
    ]);
    await eventually(async () => descriptors() >= openBefore + 1900, 'all are connected');
    for (const store of [http, grpc]) await work(store);
    expect(descriptors(), 'all are still connected').to.be.at.least(openBefore + 1900 - handshakes);
    const { peak } = gateway.memory();
    const growth = peak - memoryBefore;
    process.stdout.write(`      memory ${memoryBefore.toFixed(0)} -> ${peak.toFixed(0)} MiB\n`);
    expect(growth).to.be.lessThan(maxGrowthMiB);

    await stuck.vanish();
    // The ordinary clients' connections stay.
    await eventually(async () => descriptors() <= openBefore + 5, 'their descriptors are free');
    await untilClean(folder);
    expect(await listAll(http, 'lock')).to.deep.equal([]);
    for (const store of [http, grpc]) await store.close();
    expect(gateway.log.filter(({ level }) => Number(level) >= 50)).to.deep.equal([]);
  });

  it('serves a new client while 10,000 others are connected', async () => {
    // As many as the system's limit of open files allows.
    const hardLimit = Number(spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout) || Infinity;
    const count = Math.min(10_000, hardLimit - 500);
    const openBefore = descriptors();
    const half = Math.floor(count / 2);
    const idle = await startStuckClients([
      crowds.silent(gateway.httpPort, half),
      crowds.silent(gateway.grpcPort, count - half),
    ]);
    await eventually(async () => descriptors() >= openBefore + count, 'all are connected');
    process.stdout.write(`      ${count} connections, memory ${gateway.memory().now.toFixed(0)} MiB\n`);
    for (const store of [new HttpStore(gateway.httpPort, login), new GrpcStore(gateway.grpcPort, login)] as const) {
      const ref = newRef('packfile');
      const bytes = makeObject('packfile', MiB);
      await putAll(store, ref, bytes);
      expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
      await store.close();
    }
    await idle.vanish();
    await eventually(async () => descriptors() <= openBefore + 10, 'their descriptors are free');
    gateway.signal('SIGTERM');
    expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
  });
});
