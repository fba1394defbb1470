import { expect } from 'chai';
import { once } from 'node:events';
import * as http2 from 'node:http2';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { MacBatch } from '../../../src/core/mac-batch.js';
import { setPeer } from '../../../src/core/peer.js';
import type { RequestRecord } from '../../../src/core/request.js';
import type { ObjectRead, OpContext } from '../../../src/core/store.js';
import { HttpFrontend } from '../../../src/frontends/http/server.js';
import { silent } from '../../support/gateway.js';
import { MemoryStore } from '../../support/memory-store.js';
import { makeObject, randomMac, seededBytes } from '../../support/objects.js';
import { ctx, eventually } from '../../support/store.js';
import { chunk, RawHttp, requestHead } from '../../wire/support/raw-http.js';

const MiB = 1024 * 1024;

const limits = {
  maxHeaderBytes: 16 * 1024,
  headerTimeoutMs: 30_000,
  idleMs: 67_000,
  maxStreams: 10,
  maxResets: 10,
  minRate: 0,
  stallMs: 60_000,
};

describe('A connection', () => {
  let store: MemoryStore;
  let frontend: HttpFrontend;
  let listener: Server;
  let accepted: Socket[];
  let clients: RawHttp[];
  let records: RequestRecord[];

  beforeEach(async () => {
    [accepted, clients, records] = [[], [], []];
    store = new MemoryStore(makeObject('packfile', 100, 'config'), 100 * MiB);
    frontend = new HttpFrontend({
      access: {
        login: async (peer) => ({ principal: undefined, peer }),
        storeOf: () => store,
      },
      health: { isStopping: false, readiness: async () => ({ isReady: true, stores: [] }) },
      log: silent,
      observers: [{ request: (record) => void records.push(record) }],
      v10: { enabled: true, maxDocumentBytes: MiB },
      limits,
    });
    listener = createServer({ allowHalfOpen: true }, (socket) => {
      accepted.push(socket);
      setPeer(socket, { listener: 'test', address: '127.0.0.1' });
      frontend.accept(socket);
    });
    await once(listener.listen(0, '127.0.0.1'), 'listening');
  });

  afterEach(async () => {
    for (const client of clients) client.close();
    listener.close();
    await frontend.close(0);
  });

  async function connect(): Promise<RawHttp> {
    const client = await RawHttp.connect((listener.address() as AddressInfo).port);
    clients.push(client);
    return client;
  }

  /** Has every get wait for `go`, and tells of each. */
  function holdGets(): { readonly signals: AbortSignal[]; readonly released: boolean[]; go(): void } {
    let go = (): void => undefined;
    const wait = new Promise<void>((resolve) => (go = resolve));
    const held = { signals: [] as AbortSignal[], released: [] as boolean[], go: () => go() };
    store.get = async (_ref: unknown, _range: unknown, { signal }: OpContext = ctx): Promise<ObjectRead> => {
      held.signals.push(signal);
      await wait;
      const release = (isSent = false): void => void held.released.push(isSent);
      return { objectSize: 4, length: 4, data: Buffer.from('late'), release };
    };
    return held;
  }

  const path = (): string => `/resources/packfiles/${randomMac()}`;

  it('has its requests answered in turn, wherever what it brings is cut', async () => {
    const [first, second] = [path(), path()];
    const bytes = makeObject('packfile', 100);
    const requests = Buffer.concat([
      Buffer.from(requestHead('PUT', first, { 'Transfer-Encoding': 'chunked' })),
      chunk(bytes.subarray(0, 60)),
      Buffer.from('28;ext=1\r\n'),
      bytes.subarray(60),
      Buffer.from('\r\n0\r\nTrailer: x\r\n\r\n'),
      Buffer.from(`\r\n${requestHead('PUT', second, { 'Content-Length': '100' })}`),
      bytes,
      Buffer.from(requestHead('DELETE', second, { Connection: 'close' })),
    ]);
    const cuts = Array.from({ length: requests.length - 1 }, (_, i) => [
      requests.subarray(0, i + 1),
      requests.subarray(i + 1),
    ]);
    for (const parts of [[requests], Array.from(requests, (byte) => Buffer.of(byte)), ...cuts]) {
      const client = await connect();
      for (const part of parts) {
        await client.send(part);
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const method of ['PUT', 'PUT', 'DELETE']) expect((await client.answer(method)).status).to.equal(200);
      expect(await client.untilClosed()).to.have.length(0);
    }
  }).timeout(60_000);

  it('stops reading an upload that the store does not take, and goes on when it does', async () => {
    let go = (): void => undefined;
    const wait = new Promise<void>((resolve) => (go = resolve));
    let received = 0;
    store.put = async (_ref, body) => {
      await wait;
      for await (const piece of body) received += piece.length;
      return { created: true };
    };
    const client = await connect();
    const size = 64 * MiB;
    client.socket.write(requestHead('PUT', path(), { 'Content-Length': String(size) }));
    client.socket.write(Buffer.alloc(size));
    await untilStill(() => client.socket.writableLength);
    expect(client.socket.writableLength).to.be.greaterThan(size / 2);
    go();
    expect((await client.answer('PUT')).status).to.equal(200);
    expect(received).to.equal(size);
  });

  it('stops reading requests of a client that takes no answers', async () => {
    store.get = async () => {
      const data = Buffer.alloc(MiB);
      return { objectSize: MiB, length: MiB, data, release: () => undefined };
    };
    const client = await connect();
    client.socket.pause();
    client.socket.write(requestHead('GET', path()).repeat(100_000));
    await untilStill(() => client.socket.writableLength);
    expect(client.socket.writableLength).to.be.greaterThan(MiB);
    expect(accepted[0]?.bytesRead).to.be.lessThan(MiB);
  });

  it('ends a list that its client gives up at its beginning, over HTTP/2', async () => {
    const batch = MacBatch.of(Array.from({ length: 1000 }, () => randomMac()));
    let isOver = false;
    store.list = async function* () {
      try {
        yield batch;
        yield batch;
      } finally {
        isOver = true;
      }
    };
    listener.prependOnceListener('connection', (socket) => Object.assign(socket, { alpnProtocol: 'h2' }));
    const { port } = listener.address() as AddressInfo;
    const session = http2.connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } });
    const request = session.request({ ':path': '/resources/packfiles' });
    await once(request, 'response');
    expect(isOver).to.equal(false);
    request.close(http2.constants.NGHTTP2_CANCEL);
    await eventually(async () => isOver, 'the list is over');
    session.close();
  });

  it('gets a list of unknown length in chunks, and over HTTP/1.0 until the connection is closed', async () => {
    const macs = Array.from({ length: 2000 }, () => randomMac());
    store.list = async function* () {
      yield MacBatch.of(macs.slice(0, 1000));
      yield MacBatch.of(macs.slice(1000));
    };
    const client = await connect();
    await client.send(requestHead('GET', '/resources/states'), 'GET /resources/states HTTP/1.0\r\n\r\n');
    const { headers, body } = await client.answer();
    expect(headers).to.include({ 'transfer-encoding': 'chunked', connection: 'keep-alive' });
    expect(JSON.parse(body.toString())).to.deep.equal(macs);
    const old = (await client.untilClosed()).toString();
    expect(old).to.match(/^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n/i);
    expect(old).to.not.match(/transfer-encoding/i);
    expect(JSON.parse(old.slice(old.indexOf('\r\n\r\n')))).to.deep.equal(macs);
  });

  it('is not read while many of its requests wait, and then has all of them answered', async () => {
    const held = holdGets();
    const client = await connect();
    const requests = requestHead('GET', path(), { Padding: 'x'.repeat(8000) }).repeat(500);
    client.socket.write(requests);
    await eventually(async () => accepted[0]?.isPaused() === true, 'it is paused');
    expect(accepted[0]?.bytesRead).to.be.lessThan(MiB);
    held.go();
    for (let i = 0; i < 500; i++) expect((await client.answer()).body.toString()).to.equal('late');
    expect(held.signals).to.have.length(500);
  });

  it('that was lost before it is served does not hold up a stop', async () => {
    const client = await connect();
    await eventually(async () => accepted.length === 1, 'it is there');
    const [socket] = accepted as [Socket];
    const closed = once(socket, 'close');
    socket.destroy();
    await closed;
    frontend.accept(socket);
    await new Promise((resolve) => setImmediate(resolve));
    await frontend.close(60_000);
    expect(client.ended).to.equal(true);
  });

  it('is told how long it may stay idle, and the time', async () => {
    const client = await connect();
    await client.send(requestHead('HEAD', '/healthz'));
    const { headers } = await client.answer('HEAD');
    expect(headers).to.include({ connection: 'keep-alive', 'keep-alive': 'timeout=67' });
    expect(Date.parse(headers['date'] ?? '')).to.be.greaterThan(0);
  });

  it('ends with a refusal where nobody can know whether the body that was asked about follows', async () => {
    const client = await connect();
    await client.send(requestHead('PUT', '/resources/nothing/1', { Expect: '100-continue', 'Content-Length': '5' }));
    const { status, headers, interim } = await client.answer('PUT');
    expect({ status, interim }).to.deep.equal({ status: 400, interim: [] });
    expect(headers['connection']).to.equal('close');
    await client.send(requestHead('GET', '/'));
    expect(await client.untilClosed()).to.have.length(0);
  });

  it('that is to be closed delivers a refusal to a client that reads when it has sent all', async () => {
    for (const request of [
      requestHead('PUT', '/resources/nothing/1', { 'Content-Length': String(64 * MiB), Connection: 'close' }),
      `PUT /resources/nothing/1 HTTP/1.0\r\nContent-Length: ${64 * MiB}\r\n\r\n`,
    ]) {
      const client = await connect();
      client.socket.pause();
      await client.send(request, seededBytes(64 * MiB, 'refused'));
      client.socket.resume();
      expect((await client.answer('PUT')).status).to.equal(400);
      expect(await client.untilClosed()).to.have.length(0);
    }
  });

  it('that is lost ends its request, and none of those that wait behind it is begun', async () => {
    const held = holdGets();
    const client = await connect();
    await client.send(requestHead('GET', path()).repeat(5));
    await eventually(async () => held.signals.length === 1, 'the first one is under way');
    client.close();
    await eventually(async () => records.length === 1, 'it is over');
    expect(records[0]?.status).to.equal(499);
    expect(held.signals[0]?.aborted).to.equal(true);
    held.go();
    await frontend.close(0);
    expect(held.released).to.deep.equal([false]);
    expect(held.signals).to.have.length(1);
  });

  it('closes at once at a stop when it is idle, and otherwise when its request has its answer', async () => {
    const held = holdGets();
    const [fresh, idle, busy, behind] = [await connect(), await connect(), await connect(), await connect()];
    await idle.send(requestHead('GET', '/healthz'));
    await idle.answer();
    await busy.send(requestHead('GET', path()));
    await behind.send(requestHead('GET', path()), requestHead('GET', path()));
    await eventually(async () => held.signals.length === 2, 'two are busy');
    const closed = frontend.close(60_000);
    for (const client of [fresh, idle]) expect(await client.untilClosed()).to.have.length(0);
    expect(busy.ended).to.equal(false);
    held.go();
    const { headers, body } = await busy.answer();
    expect(headers['connection']).to.equal('close');
    expect(body.toString()).to.equal('late');
    expect((await behind.answer()).headers['connection'], 'what is behind is not begun').to.equal('close');
    for (const client of [busy, behind]) await client.untilClosed();
    await closed;
  });

  it('does not hold up a stop with a read that comes when its client has gone', async () => {
    const held = holdGets();
    const client = await connect();
    await client.send(requestHead('GET', path()));
    await eventually(async () => held.signals.length === 1, 'it is under way');
    client.close();
    await eventually(async () => records.length === 1, 'it is over');
    const closed = frontend.close(60_000);
    held.go();
    await closed;
    expect(held.released).to.deep.equal([false]);
  });
});

/** Waits until a number has stayed the same for ten looks in a row. */
async function untilStill(look: () => number): Promise<void> {
  let last = NaN;
  let same = 0;
  await eventually(async () => {
    const now = look();
    same = now === last ? same + 1 : 0;
    last = now;
    return same >= 10;
  }, 'nothing moves any more');
}
