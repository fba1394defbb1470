import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '../../../src/watch/status.js';
import { tokenDigest } from '../../../src/auth/tokens.js';
import { listenOn } from '../../../src/net/listen-on.js';
import { makeObject, newRef } from '../../support/objects.js';
import { eventually } from '../../support/store.js';
import { emptyStore, tempFolder } from '../../support/temp.js';
import { temporaries, untilClean } from '../../wire/support/folders.js';
import { killProcesses, startProcess, type GatewayProcess } from '../../wire/support/process.js';
import { ask, chunk, lastChunk, put, RawHttp, requestHead } from '../../wire/support/raw-http.js';

const MiB = 1024 * 1024;

/** The processes that another one has started. */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

/** A running upload: its connection, and the process ID of its worker. */
interface Upload {
  readonly connection: RawHttp;
  readonly worker: number;
}

describe('A gateway of three workers', function () {
  this.timeout(60_000);
  const bytes = makeObject('packfile', 2 * MiB);
  let folder: string;
  let gateway: GatewayProcess;

  afterEach(killProcesses);

  async function start(...options: string[]): Promise<void> {
    folder = await emptyStore();
    gateway = await startProcess(folder, ['--allow-write', '--workers', '3', ...options]);
    await eventually(async () => childrenOf(gateway.pid).length === 3, 'three workers run', 15_000);
  }

  /** Begins an upload, and finds its worker by its temporary file. */
  async function beginUpload(): Promise<Upload> {
    const before = await temporaries(folder);
    const connection = await RawHttp.connect(gateway.httpPort);
    const head = requestHead('PUT', `/resources/packfiles/${newRef('packfile').mac}`, {
      'Transfer-Encoding': 'chunked',
    });
    await connection.send(head, chunk(bytes.subarray(0, MiB)));
    const made = await eventually(
      async () => (await temporaries(folder)).find((each) => !before.includes(each)),
      'the upload writes',
      10_000,
    );
    return { connection, worker: Number(made.split('.').at(-2)) };
  }

  async function finish({ connection }: Upload): Promise<number> {
    await connection.send(chunk(bytes.subarray(MiB)), lastChunk);
    return (await connection.answer('PUT')).status;
  }

  /** Two uploads that came to different workers. */
  async function uploadsOfTwoWorkers(): Promise<[Upload, Upload]> {
    const first = await beginUpload();
    // A stopped process accepts nothing; otherwise the quickest worker might get all connections.
    process.kill(first.worker, 'SIGSTOP');
    try {
      return [first, await beginUpload()];
    } finally {
      process.kill(first.worker, 'SIGCONT');
    }
  }

  it('serves connections in different processes, on one port', async () => {
    await start();
    const [a, b] = await uploadsOfTwoWorkers();
    const workers = childrenOf(gateway.pid);
    expect(workers).to.include.members([a.worker, b.worker]);
    expect([await finish(a), await finish(b)]).to.deep.equal([200, 200]);
    const lines = gateway.log.filter(({ http }) => http !== undefined);
    expect(lines, 'what is served is said once').to.have.length(1);
  });

  it('replaces a worker that is killed, without a failed request on the others, and sweeps after it', async () => {
    await start();
    const [kept, lost] = await uploadsOfTwoWorkers();
    process.kill(lost.worker, 'SIGKILL');
    await lost.connection.untilClosed();
    expect(await finish(kept)).to.equal(200);
    const again = await RawHttp.connect(gateway.httpPort);
    await again.send(requestHead('GET', '/resources/states'));
    expect((await again.answer()).status).to.equal(200);
    await eventually(
      async () => gateway.log.some(({ msg }) => msg === 'the new worker process serves'),
      'there is another one',
      15_000,
    );
    const workers = childrenOf(gateway.pid);
    expect(workers).to.have.length(3).and.to.not.include(lost.worker);
    const ended = gateway.log.filter(({ level, msg }) => level === 50 && String(msg).includes('SIGKILL'));
    expect(ended).to.have.length(1);
    expect(await temporaries(folder)).to.have.length(1);
    gateway.signal('SIGTERM');
    await gateway.exited;
    gateway = await startProcess(folder, ['--allow-write', '--workers', '3']);
    await untilClean(folder);
  });

  it('mirrors what arrives by way of a worker that does not write the mirror', async () => {
    const [here, there] = [await emptyStore(), await emptyStore()];
    const file = join(await tempFolder(), 'gateway.yaml');
    const blue = { location: here, anonymous: 'append', mirror: { to: there } };
    const listen = { listen: ['127.0.0.1:0'], 'grpc-listen': ['127.0.0.1:0'] };
    await writeFile(file, JSON.stringify({ ...listen, workers: 2, 'min-free-space': 0, stores: { blue } }));
    gateway = await startProcess(undefined, ['--config', file]);
    await eventually(async () => childrenOf(gateway.pid).length === 2, 'two workers run', 15_000);
    const [first = NaN] = childrenOf(gateway.pid).sort((a, b) => a - b);
    process.kill(first, 'SIGSTOP');
    const state = newRef('state');
    try {
      await put(gateway.httpPort, `/blue/resources/states/${state.mac}`, makeObject('state', 200));
    } finally {
      process.kill(first, 'SIGCONT');
    }
    const mirrored = async (): Promise<boolean> =>
      (await readdir(join(there, 'states', state.mac.slice(0, 2)))).includes(state.mac);
    await eventually(() => mirrored().catch(() => false), 'it is mirrored');
  });

  it('counts the uploads of a caller in each worker by itself', async () => {
    await start('--max-uploads', '1', '--queue-timeout', '200ms');
    const running = await uploadsOfTwoWorkers();
    const busy = running.map(({ worker }) => worker);
    const idle = childrenOf(gateway.pid).filter((pid) => !busy.includes(pid));
    for (const pid of idle) process.kill(pid, 'SIGSTOP');
    const statuses = await Promise.all(
      Array.from({ length: 9 }, () =>
        put(gateway.httpPort, `/resources/packfiles/${newRef('packfile').mac}`, bytes).then(({ status }) => status),
      ),
    );
    for (const pid of idle) process.kill(pid, 'SIGCONT');
    expect(new Set(statuses)).to.deep.equal(new Set([429]));
    for (const each of running) expect(await finish(each)).to.equal(200);
    const { status } = await put(gateway.httpPort, `/resources/packfiles/${newRef('packfile').mac}`, bytes);
    expect(status).to.equal(200);
  });

  it('gives each worker its share of the limit of connections', async () => {
    await start('--max-connections', '5');
    const [, ...others] = childrenOf(gateway.pid);
    for (const pid of others) process.kill(pid, 'SIGSTOP');
    const open: RawHttp[] = [];
    const answers = async (): Promise<boolean> => {
      const connection = await RawHttp.connect(gateway.httpPort);
      await connection.send(requestHead('GET', '/resources/states')).catch(() => undefined);
      const answered = await connection.answer().then(
        ({ status }) => status === 200,
        () => false,
      );
      if (answered) open.push(connection);
      return answered;
    };
    for (let i = 0; i < 2; i++) expect(await answers()).to.equal(true);
    for (let i = 0; i < 4; i++) expect(await answers()).to.equal(false);
    for (const each of open.splice(0)) each.close();
    await eventually(answers, 'there is room again');
    for (const pid of others) process.kill(pid, 'SIGCONT');
  });

  it('counts failed logins over all workers', async () => {
    const config = join(await tempFolder(), 'gateway.yaml');
    await writeFile(config, `principals:\n  ann: { tokens: ['sha256:${tokenDigest('hers')}'] }\n`, { mode: 0o600 });
    await start('--config', config);
    const both = await uploadsOfTwoWorkers();
    for (const each of both) expect(await finish(each)).to.equal(200);
    const [first, second] = both.map(({ connection }) => async (): Promise<number> => {
      await connection.send(requestHead('GET', '/', { Authorization: 'Bearer guessed' }));
      return (await connection.answer()).status;
    });
    for (let i = 0; i < 10; i++) expect(await first?.()).to.equal(401);
    // The next answer is held back for three seconds.
    const outcome = await Promise.race([second?.(), sleep(500, 'held back')]);
    expect(outcome).to.equal('held back');
  });

  it('takes a changed configuration on in every worker, and refuses a bad one in all', async () => {
    const config = join(await tempFolder(), 'gateway.yaml');
    await writeFile(config, 'http-v1.0-limit: 90MiB\n');
    await start('--config', config);
    const inForce = async (status: number): Promise<void> => {
      for (let i = 0; i < 30; i++)
        expect((await ask(gateway.httpPort, 'GET', '/packfile/blob')).status).to.equal(status);
    };
    const { status: before } = await ask(gateway.httpPort, 'GET', '/packfile/blob');
    await writeFile(config, 'no-http-v1.0: true\n');
    gateway.signal('SIGHUP');
    await untilLogged('the configuration was reloaded');
    const { status: after } = await ask(gateway.httpPort, 'GET', '/packfile/blob');
    expect(after).to.not.equal(before);
    await inForce(after);
    await writeFile(config, 'audit-log: /nonexistent/folder/audit.log\n');
    gateway.signal('SIGHUP');
    await untilLogged('the configuration was not reloaded: the previous one stays active');
    await inForce(after);
  });

  async function untilLogged(text: string): Promise<void> {
    await eventually(async () => gateway.log.some(({ msg }) => msg === text), text, 10_000);
  }

  it('lets running requests of every worker finish at a stop, and leaves nothing behind', async () => {
    const socket = join(await tempFolder(), 'http.sock');
    await start('--listen', `unix:${socket}`);
    const statuses = await Promise.all([1, 2, 3, 4, 5].map(() => overUnixSocket(socket)));
    expect(new Set(statuses)).to.deep.equal(new Set([200]));
    const uploads = await uploadsOfTwoWorkers();
    const workers = childrenOf(gateway.pid);
    gateway.signal('SIGTERM');
    await untilLogged('SIGTERM: waiting up to 30 s for running requests; send it again to stop at once');
    for (const each of uploads) expect(await finish(each)).to.equal(200);
    expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
    for (const pid of workers) expect(() => process.kill(pid, 0)).to.throw('ESRCH');
    expect(await readdir(join(socket, '..'))).to.deep.equal([]);
    expect(await temporaries(folder)).to.deep.equal([]);
  });

  it('stops at once at a second signal', async () => {
    await start();
    const { connection } = await beginUpload();
    gateway.signal('SIGTERM');
    await untilLogged('SIGTERM: waiting up to 30 s for running requests; send it again to stop at once');
    gateway.signal('SIGTERM');
    await connection.untilClosed();
    expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
    expect(await temporaries(folder)).to.deep.equal([]);
  });

  it('stops although a worker hangs', async () => {
    await start();
    for (const pid of childrenOf(gateway.pid)) process.kill(pid, 'SIGSTOP');
    gateway.signal('SIGTERM');
    await untilLogged('SIGTERM: waiting up to 30 s for running requests; send it again to stop at once');
    gateway.signal('SIGTERM');
    expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
  });

  it("exits with the reason, reported once, if it can't listen", async () => {
    const taken = createServer();
    await listenOn(taken, { host: '127.0.0.1', port: 0 });
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    folder = await emptyStore();
    const failed: unknown = await startProcess(folder, ['--workers', '3', '--admin-listen', `127.0.0.1:${port}`]).catch(
      (error: unknown) => error,
    );
    taken.close();
    expect(String(failed).match(/another program has this port/g)).to.have.length(1);
  });

  it('exits with the reason if workers keep ending', async () => {
    await start();
    const killing = setInterval(() => {
      for (const pid of childrenOf(gateway.pid)) process.kill(pid, 'SIGKILL');
    }, 100);
    const exit = await gateway.exited.finally(() => clearInterval(killing));
    expect(exit.code).to.equal(1);
    const told = gateway.log.filter(({ text }) => String(text).includes('workers keep ending soon after they start'));
    expect(told).to.have.length(1);
  });

  it('adds up the metrics of all workers', async () => {
    const port = await freePort();
    await start('--admin-listen', `127.0.0.1:${port}`, '--instance', 'gateway-1');
    for (let i = 0; i < 20; i++) await ask(gateway.httpPort, 'GET', '/resources/states');
    const text = (await ask(port, 'GET', '/metrics')).body.toString();
    expect(text).to.match(/^kloset_gateway_requests_total\{protocol="http",method="GET",status="200"\} 20$/m);
    expect(text).to.match(/^kloset_gateway_build_info\{version="[^"]+",replica="gateway-1"\} 1$/m);
    const valueOf = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    expect(valueOf('process_start_time_seconds')).to.be.within(Date.now() / 1000 - 600, Date.now() / 1000);
    // That of all processes: each has more than 30 MiB.
    expect(valueOf('process_resident_memory_bytes')).to.be.greaterThan(3 * 30 * 1024 ** 2);
  });

  it('tells a backup of which each worker has seen a part, and keeps it over a restart', async () => {
    const port = await freePort();
    const stateDir = await tempFolder();
    await start('--admin-listen', `127.0.0.1:${port}`, '--state-dir', stateDir);
    const lock = newRef('lock').mac;
    // Each has a connection of its own, and so any worker.
    const putObject = async (kind: 'lock' | 'packfile' | 'state', mac: string): Promise<void> => {
      const { status } = await put(gateway.httpPort, `/resources/${kind}s/${mac}`, makeObject(kind, 1000, mac));
      expect(status).to.equal(200);
    };
    const status = async () => (await (await fetch(`http://127.0.0.1:${port}/api/status`)).json()) as Status;
    await putObject('lock', lock);
    for (let i = 0; i < 10; i++) await putObject('packfile', newRef('packfile').mac);
    await putObject('state', lock);
    await ask(gateway.httpPort, 'DELETE', `/resources/locks/${lock}`);
    const { machines } = await eventually(async () => {
      const now = await status();
      return now.machines.length > 0 && now;
    }, 'the backup is told');
    expect(machines[0]).to.include({ principal: 'anonymous', store: '' });
    expect(machines[0]?.lastBackup).to.include({ newBytes: 11_000 });
    gateway.signal('SIGTERM');
    await gateway.exited;
    gateway = await startProcess(folder, ['--admin-listen', `127.0.0.1:${port}`, '--state-dir', stateDir]);
    expect((await status()).machines).to.deep.equal(machines);
  });
});

function overUnixSocket(socketPath: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/resources/states', agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    })
      .on('error', reject)
      .end();
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await listenOn(server, { host: '127.0.0.1', port: 0 });
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
