import { status as Code } from '@grpc/grpc-js';
import { expect } from 'chai';
import { readdir, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect as connectTo } from 'node:net';
import { join } from 'node:path';
import { connect } from '../support/grpc-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { eventually } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { objects, temporaries, untilClean, untilWriting } from './support/folders.js';
import { killProcesses, startProcess, type GatewayProcess } from './support/process.js';
import { putPath, rangesPath, RawGrpc, upload } from './support/raw-grpc.js';
import { ask, chunk, lastChunk, put, RawHttp, requestHead } from './support/raw-http.js';
import { RawHttp2 } from './support/raw-http2.js';

const MiB = 1024 * 1024;

describe('Shutdown', function () {
  this.timeout(60_000);
  const bytes = makeObject('packfile', 8 * MiB);
  let folder: string;
  let gateway: GatewayProcess;

  afterEach(killProcesses);

  async function start(...options: string[]): Promise<void> {
    folder = await emptyStore();
    gateway = await startProcess(folder, ['--allow-write', ...options]);
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`by ${signal} lets running requests finish, accepts no new connections, and exits 0`, async () => {
      await start();
      const stored = newRef('packfile');
      await put(gateway.httpPort, `/resources/packfiles/${stored.mac}`, bytes);
      const [overHttp, overGrpc] = [newRef('packfile'), newRef('packfile')];

      const download = await RawHttp.connect(gateway.httpPort);
      download.socket.pause();
      await download.send(requestHead('GET', `/resources/packfiles/${stored.mac}`));
      const putting = await RawHttp.connect(gateway.httpPort);
      await putting.send(
        requestHead('PUT', `/resources/packfiles/${overHttp.mac}`, { 'Transfer-Encoding': 'chunked' }),
        chunk(bytes.subarray(0, MiB)),
      );
      const client = await RawGrpc.connect(gateway.grpcPort);
      const call = client.call(putPath);
      await call.send(upload.header(overGrpc), upload.chunks(bytes.subarray(0, MiB)));
      await eventually(async () => (await temporaries(folder)).length === 2, 'both uploads are being written');

      gateway.signal(signal);
      await untilRefused();
      download.socket.resume();
      expect((await download.answer()).body.equals(bytes)).to.equal(true);
      await putting.send(chunk(bytes.subarray(MiB)), lastChunk);
      expect((await putting.answer('PUT')).status).to.equal(200);
      call.end(upload.chunks(bytes.subarray(MiB)), upload.finish(bytes.length));
      expect((await call.outcome).code).to.equal(Code.OK);
      expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
      expect(await objects(folder)).to.have.length(3);
      expect(await temporaries(folder)).to.deep.equal([]);
      for (const each of [download, putting, client]) each.close();
    });
  }

  it('aborts stalled uploads after the drain timeout, and leaves nothing behind', async () => {
    await start('--drain-timeout', '1');
    const overHttp = await stallHttp();
    const overGrpc = await RawHttp2.connect(gateway.grpcPort);
    const beginning = Buffer.concat([upload.header(newRef('packfile')), upload.chunks(bytes.subarray(0, MiB))]);
    await overGrpc.data(overGrpc.request(putPath), beginning);
    await eventually(async () => (await temporaries(folder)).length === 2, 'both uploads are being written');
    gateway.signal('SIGTERM');
    await untilRefused();
    expect(await temporaries(folder)).to.have.length(2);
    expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
    expect(await temporaries(folder)).to.deep.equal([]);
    expect(await objects(folder)).to.deep.equal([]);
    overHttp.close();
    overGrpc.close();
  });

  it('aborts downloads that no client reads after the drain timeout', async () => {
    await start('--drain-timeout', '1');
    const ref = newRef('packfile');
    await put(gateway.httpPort, `/resources/packfiles/${ref.mac}`, makeObject('packfile', 32 * MiB));
    const overHttp = await RawHttp.connect(gateway.httpPort);
    overHttp.socket.pause();
    await overHttp.send(requestHead('GET', `/resources/packfiles/${ref.mac}`));
    gateway.signal('SIGTERM');
    expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
    overHttp.close();
  });

  it('does not wait for idle connections', async () => {
    // Longer than this test's timeout: if the gateway waited for it, the test would fail.
    await start('--drain-timeout', '600');
    const idle = await Promise.all(Array.from({ length: 5 }, () => RawHttp.connect(gateway.httpPort)));
    await idle[0]?.send(requestHead('GET', '/'));
    expect((await idle[0]?.answer())?.status).to.equal(200);
    const client = connect(gateway.grpcPort);
    await new Promise((resolve) => client.waitForReady(Date.now() + 5000, resolve));
    const overGrpc = await RawHttp2.connect(gateway.grpcPort);
    gateway.signal('SIGTERM');
    expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
    client.close();
    for (const each of [...idle, overGrpc]) each.close();
  });

  it('waits for gRPC clients that never close their connections until the drain timeout, and after a second signal not at all', async () => {
    for (const isTwice of [false, true]) {
      await start('--drain-timeout', isTwice ? '600' : '1');
      const silent = connectTo({ port: gateway.grpcPort, host: '127.0.0.1', allowHalfOpen: true });
      silent.on('error', () => undefined).resume();
      await once(silent, 'connect');
      const greeted = await RawHttp2.connect(gateway.grpcPort);
      greeted.socket.allowHalfOpen = true;
      const reading = await RawHttp2.connect(gateway.grpcPort);
      reading.socket.allowHalfOpen = true;
      reading.request(rangesPath);
      await eventually(async () => reading.frames.length > 0 && greeted.frames.length > 0, 'the server greets');
      gateway.signal('SIGTERM');
      if (isTwice) {
        await untilRefused();
        gateway.signal('SIGTERM');
      }
      expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
      for (const socket of [silent, greeted.socket, reading.socket]) socket.destroy();
    }
  });

  it('after a second signal is immediate, and leaves nothing behind', async () => {
    // Longer than this test's timeout: if the gateway waited for it, the test would fail.
    await start('--drain-timeout', '600');
    const overHttp = await stallHttp();
    const overGrpc = await RawHttp2.connect(gateway.grpcPort);
    await overGrpc.data(overGrpc.request(putPath), Buffer.concat([upload.header(newRef('state'))]));
    gateway.signal('SIGTERM');
    await untilRefused();
    gateway.signal('SIGINT');
    expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
    expect(await temporaries(folder)).to.deep.equal([]);
    overHttp.close();
    overGrpc.close();
  });

  it('by SIGKILL in the middle of an upload leaves a temporary file, which the next gateway removes, and no file of others', async () => {
    await start();
    const connection = await stallHttp();
    gateway.signal('SIGKILL');
    await gateway.exited;
    connection.close();
    const [left = ''] = await temporaries(folder);
    expect(left).to.match(new RegExp(`^packfiles/tmp\\.kloset-gateway\\..*\\.${gateway.pid}\\.`));

    // One of a process that is alive, and some of other programs.
    const living = left.replace(`.${gateway.pid}.`, `.${process.pid}.`);
    for (const name of [living, 'packfiles/tmp.foreign', 'locks/tmp.12345', 'packfiles/notes']) {
      await writeFile(join(folder, name), 'x');
    }
    const readOnly = await startProcess(folder);
    expect(await temporaries(folder)).to.include(left);
    readOnly.signal('SIGTERM');
    await readOnly.exited;

    gateway = await startProcess(folder, ['--allow-write']);
    expect((await temporaries(folder)).sort()).to.deep.equal(
      ['locks/tmp.12345', 'packfiles/tmp.foreign', living].sort(),
    );
    expect(await readdir(join(folder, 'packfiles'))).to.include('notes');
    expect((await ask(gateway.httpPort, 'GET', '/resources/packfiles')).body.toString()).to.equal('[]\n');
  });

  it('exits 0 and leaves nothing behind while clients abort their uploads', async () => {
    await start();
    const uploads = await Promise.all(Array.from({ length: 10 }, () => stallHttp()));
    gateway.signal('SIGTERM');
    await untilRefused();
    for (const each of uploads) each.socket.resetAndDestroy();
    expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
    await untilClean(folder);
  });

  /** Starts an upload over HTTP and sends no more than its beginning. */
  async function stallHttp(): Promise<RawHttp> {
    const connection = await RawHttp.connect(gateway.httpPort);
    const path = `/resources/packfiles/${newRef('packfile').mac}`;
    await connection.send(requestHead('PUT', path, { 'Transfer-Encoding': 'chunked' }), chunk(bytes.subarray(0, MiB)));
    await untilWriting(folder);
    return connection;
  }

  /** Waits until no connection is accepted any more. */
  async function untilRefused(): Promise<void> {
    for (const port of [gateway.httpPort, gateway.grpcPort]) {
      await eventually(
        () =>
          RawHttp.connect(port).then(
            (connection) => (connection.close(), false),
            (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
          ),
        'connections are refused',
      );
    }
  }
});
