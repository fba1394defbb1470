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

/** By what factor ordinary requests may become slower, and the tolerance of the measurement in milliseconds. */
const maxFactor = 2;
const slackMs = 5;
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

  /** The 10th percentile of the duration of an ordinary client's requests, in milliseconds. A busy machine affects the higher ones. */
  async function fastMs(store: Store, rounds: number): Promise<number> {
    const ref = newRef('packfile');
    await putAll(store, ref, makeObject('packfile', MiB));
    const times: number[] = [];
    const timed = async (work: Promise<unknown>): Promise<void> => {
      const startedMs = performance.now();
      await work;
      times.push(performance.now() - startedMs);
    };
    for (let round = 0; round < rounds; round++) {
      await timed(getAll(store, ref, { offset: round * 1000, length: 65_536 }));
      await timed(putAll(store, newRef('state'), makeObject('state', 5000)));
      await timed(listAll(store, 'lock'));
    }
    return times.sort((a, b) => a - b)[Math.floor(times.length / 10)] ?? NaN;
  }

  it('serves an ordinary client about as fast as before while 2,000 others are slow or stuck, and frees what those had', async () => {
    const http = new HttpStore(gateway.httpPort, login);
    const grpc = new GrpcStore(gateway.grpcPort, login);
    const large = newRef('packfile');
    await putAll(http, large, makeObject('packfile', 8 * MiB));
    // Warm up.
    for (const store of [http, grpc]) await fastMs(store, 100);
    const before = { http: await fastMs(http, 150), grpc: await fastMs(grpc, 150) };
    const memoryBefore = gateway.memory().now;
    const openBefore = descriptors();

    const stuck = await startStuckClients([
      crowds.halfHeader(gateway.httpPort, 800),
      crowds.silent(gateway.grpcPort, 200),
      crowds.trickledUpload(gateway.httpPort, 500),
      crowds.stuckDownload(gateway.httpPort, 250, `/resources/packfiles/${large.mac}`),
      crowds.halfHandshake(httpsPort, 250),
    ]);
    await eventually(async () => descriptors() >= openBefore + 1900, 'all are connected');
    const during = { http: await fastMs(http, 150), grpc: await fastMs(grpc, 150) };
    expect(descriptors(), 'all are still connected').to.be.at.least(openBefore + 1900);
    const { peak } = gateway.memory();
    const growth = peak - memoryBefore;
    const numbers = (['http', 'grpc'] as const).map(
      (each) => `${each} ${before[each].toFixed(2)} -> ${during[each].toFixed(2)} ms`,
    );
    process.stdout.write(
      `      10th percentile ${numbers.join(', ')}; memory ${memoryBefore.toFixed(0)} -> ${peak.toFixed(0)} MiB\n`,
    );
    for (const each of ['http', 'grpc'] as const) {
      expect(during[each], each).to.be.lessThan(maxFactor * before[each] + slackMs);
    }
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
