import { status as Code } from '@grpc/grpc-js';
import { expect } from 'chai';
import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectRef } from '../../src/core/object.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { GrpcStore, wireRef } from '../support/grpc-store.js';
import { makeObject, newRef, randomMac } from '../support/objects.js';
import { eventually, putAll, readAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { openSockets, untilOpenFiles, untilOpenSockets } from './support/folders.js';
import { framed, getPath, getRequest, rangesPath, rangesRequest, RawGrpc } from './support/raw-grpc.js';
import { RawHttp, requestHead } from './support/raw-http.js';
import { frameType, RawHttp2 } from './support/raw-http2.js';

const MiB = 1024 * 1024;

describe('A download', () => {
  const bytes = makeObject('state', 64 * MiB);
  let folder: string;
  let gateway: TestGateway;
  let store: GrpcStore;
  let ref: ObjectRef;
  let file: string;
  let openBefore: number;

  before(async () => {
    folder = await emptyStore();
    gateway = await startTestGateway(folder, { 'allow-delete': true, durability: 'none' });
    store = new GrpcStore(gateway.grpcPort);
  });

  after(async () => {
    await store.close();
    await gateway.close();
  });

  beforeEach(async () => {
    ref = newRef('state');
    file = join(folder, 'states', ref.mac.slice(0, 2), ref.mac);
    await putAll(store, ref, bytes, MiB);
    openBefore = openSockets();
  });

  afterEach(() => rm(file, { force: true }));

  /** Waits until the file is closed. The gateway keeps packfiles open until they are deleted and their last reader is done. */
  async function untilFileReleased(): Promise<void> {
    await store.delete(ref);
    await untilOpenFiles(0, file);
  }

  async function untilReleased(): Promise<void> {
    await untilFileReleased();
    await untilOpenSockets(openBefore);
  }

  describe('over gRPC', () => {
    it('releases the file when it is canceled in the middle', async () => {
      const read = await store.get(ref, undefined);
      await untilOpenFiles(1, file);
      read.release();
      await readAll(read).catch(() => undefined);
      await untilReleased();
    });

    for (const [how, cutOff] of [
      ['resets its stream', (connection: RawHttp2, stream: number) => connection.reset(stream)],
      [
        'resets its stream, and says that there is no error',
        (connection: RawHttp2, stream: number) => connection.reset(stream, 0),
      ],
      ['closes the connection', (connection: RawHttp2) => connection.socket.end()],
      ['resets the connection', (connection: RawHttp2) => connection.socket.resetAndDestroy()],
    ] as const) {
      it(`releases the file when a client that reads nothing ${how}`, async () => {
        const connection = await RawHttp2.connect(gateway.grpcPort);
        const stream = connection.request(getPath);
        await connection.data(stream, getRequest(ref), { endStream: true });
        await eventually(async () => connection.dataReceived >= 65535, 'the window is full');
        await untilOpenFiles(1, file);
        cutOff(connection, stream);
        await untilFileReleased();
        connection.close();
        await untilReleased();
      });
    }

    for (const code of [8, 0]) {
      it(`releases the file when a client that asks for many ranges resets its stream with code ${code}`, async () => {
        const connection = await RawHttp2.connect(gateway.grpcPort);
        const stream = connection.request(rangesPath);
        const range = { offset: 0n, length: bytes.length };
        const reads = [1n, 2n, 3n].map((tag) => ({ tag, ref: wireRef(ref), range }));
        // So many that some are being answered and others wait.
        for (let i = 0; i < 30; i++) await connection.data(stream, rangesRequest(reads));
        await eventually(async () => connection.dataReceived >= 65535, 'the window is full');
        connection.reset(stream, code);
        await untilFileReleased();
        connection.close();
        await untilReleased();
      });
    }

    it('stops at the window of a client that never opens it', async () => {
      const connection = await RawHttp2.connect(gateway.grpcPort);
      await connection.data(connection.request(getPath), getRequest(ref), { endStream: true });
      await eventually(async () => connection.dataReceived >= 65535, 'the window is full');
      // The answer to another call needs no window. Had the gateway more to send, it would come before that.
      const answers = (): number => connection.frames.filter((type) => type === frameType.headers).length;
      const before = answers();
      await connection.data(connection.request(getPath), getRequest(newRef('packfile')), { endStream: true });
      await eventually(async () => answers() > before, 'another call is answered');
      expect(connection.dataReceived).to.equal(65535);
      connection.close();
      await untilReleased();
    });

    it('releases the file when its deadline passes', async () => {
      const connection = await RawHttp2.connect(gateway.grpcPort);
      const stream = connection.request(getPath, { 'grpc-timeout': '300m' });
      await connection.data(stream, getRequest(ref), { endStream: true });
      await untilOpenFiles(1, file);
      await untilFileReleased();
      connection.close();
    });

    it('holds nothing for a client that reads nothing and whose deadline has passed', async () => {
      const connection = await RawHttp2.connect(gateway.grpcPort);
      const stream = connection.request(rangesPath, { 'grpc-timeout': '300m' });
      const range = { offset: 0n, length: MiB };
      const reads = Array.from({ length: 20 }, (_, i) => ({ tag: BigInt(i), ref: wireRef(ref), range }));
      await connection.data(stream, rangesRequest(reads), { endStream: true });
      await eventually(async () => connection.resets.has(stream), 'the stream is reset');
      expect(connection.resets.get(stream)).to.equal(8); // CANCEL
      connection.close();
      await untilReleased();
    });

    it('is an error, never a clean end, when its file becomes shorter meanwhile', async () => {
      const client = await RawGrpc.connect(gateway.grpcPort);
      const call = client.call(getPath);
      call.stream.pause();
      call.end(getRequest(ref));
      await untilOpenFiles(1, file);
      await truncate(file, 40 * MiB);
      call.stream.resume();
      const outcome = await call.outcome;
      expect(outcome.code).to.equal(Code.INTERNAL);
      expect(outcome.message).to.contain('became shorter');
      expect(outcome.bytes.length).to.be.within(1, 41 * MiB);
      client.close();
      await untilReleased();
    });

    it('has the right status when it fails before its first message', async () => {
      const client = await RawGrpc.connect(gateway.grpcPort);
      const missing = client.call(getPath);
      missing.end(getRequest({ kind: 'packfile', mac: randomMac() }));
      expect(await missing.outcome).to.deep.include({ code: Code.NOT_FOUND, bytes: Buffer.alloc(0) });
      const nameless = client.call(getPath);
      nameless.end(framed(Buffer.alloc(0)));
      expect((await nameless.outcome).code).to.equal(Code.INVALID_ARGUMENT);
      const garbage = client.call(getPath);
      garbage.end(framed(Buffer.from('ff'.repeat(20), 'hex')));
      expect((await garbage.outcome).code).to.equal(Code.INTERNAL);
      const unknown = client.call('/kloset.store.v1.StoreService/Drop');
      unknown.end(framed(Buffer.alloc(0)));
      expect((await unknown.outcome).code).to.equal(Code.UNIMPLEMENTED);
      const incomplete = client.call(getPath);
      incomplete.end(getRequest(ref).subarray(0, -1));
      expect((await incomplete.outcome).code).to.not.equal(Code.OK);
      client.close();
    });
  });

  describe('over HTTP', () => {
    for (const [how, cutOff] of [
      ['closes the connection', (connection: RawHttp) => connection.close()],
      ['resets the connection', (connection: RawHttp) => void connection.socket.resetAndDestroy()],
    ] as const) {
      it(`releases the file when a client that reads nothing ${how}`, async () => {
        const connection = await begin();
        cutOff(connection);
        await untilReleased();
      });
    }

    it('is broken off, and no short 200, when its file becomes shorter meanwhile', async () => {
      const connection = await begin();
      await truncate(file, 40 * MiB);
      connection.socket.resume();
      const received = await connection.untilClosed();
      const head = received.subarray(0, received.indexOf('\r\n\r\n')).toString();
      expect(head).to.match(/^HTTP\/1\.1 200 /);
      expect(head).to.match(new RegExp(`content-length: ${bytes.length}\r?\n?`, 'i'));
      expect(received.length).to.be.lessThan(41 * MiB);
      connection.close();
      await untilReleased();
      expect(gateway.log.some(({ message }) => String(message).includes('became shorter'))).to.equal(true);
    });

    it('goes on for clients that had the file open when it was deleted', async () => {
      const connection = await begin();
      await rm(file);
      connection.socket.resume();
      expect((await connection.answer()).body.equals(bytes)).to.equal(true);
      connection.close();
      await untilReleased();
    });

    /** Asks for the object on a connection that isn't read; waits until its file is open. */
    async function begin(): Promise<RawHttp> {
      const connection = await RawHttp.connect(gateway.httpPort);
      connection.socket.pause();
      await connection.send(requestHead('GET', `/resources/states/${ref.mac}`));
      await untilOpenFiles(1, file);
      return connection;
    }
  });
});
