import { status as Code } from '@grpc/grpc-js';
import { expect } from 'chai';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeObject, newRef } from '../support/objects.js';
import { eventually } from '../support/store.js';
import { objects, untilClean, untilOpenFiles, untilWriting } from './support/folders.js';
import { answerOf, Http2Client } from './support/http2-client.js';
import { getPath, getRequest, putPath, RawGrpc, upload } from './support/raw-grpc.js';
import { chunk, lastChunk, put, RawHttp, requestHead } from './support/raw-http.js';
import { RawHttp2 } from './support/raw-http2.js';
import { startSecureGateway, type SecureGateway } from './support/secure-gateway.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/* The minimum rate: here the passing of time is what is tested. */

describe('A client that is slow', function () {
  this.timeout(60_000);
  let gateway: SecureGateway;

  afterEach(async () => {
    await gateway.close();
    const trouble = gateway.log.filter(({ level }) => level !== 'info');
    expect(trouble, 'warnings and errors in the log').to.deep.equal([]);
  });

  describe('with an upload', () => {
    const bytes = makeObject('packfile', MiB);

    beforeEach(async () => {
      gateway = await startSecureGateway({ 'stall-timeout': '1s', 'min-rate': '64KiB', durability: 'none' });
    });

    async function expectNothing(): Promise<void> {
      await untilClean(gateway.folder);
      await untilOpenFiles(0, gateway.folder);
      expect(await objects(gateway.folder)).to.deep.equal([]);
    }

    it('gets 408 over HTTP 1.1, and leaves nothing behind', async () => {
      const path = `/resources/packfiles/${newRef('packfile').mac}`;
      const connection = await RawHttp.connect(gateway.httpPort);
      await connection.send(requestHead('PUT', path, { 'Transfer-Encoding': 'chunked' }));
      await connection.send(chunk(bytes.subarray(0, 768 * KiB)));
      const trickle = setInterval(() => connection.socket.write(chunk(bytes.subarray(0, KiB))), 50);
      await untilWriting(gateway.folder);
      const { status, body } = await connection.answer('PUT');
      clearInterval(trickle);
      expect(status).to.equal(408);
      expect(body.toString()).to.equal('too slow: less than 65536 bytes a second for 1 s\n');
      await connection.untilClosed();
      connection.close();
      await expectNothing();
    });

    it('gets 408 over HTTP/2, and its other requests go on', async () => {
      const client = await Http2Client.connect(gateway.httpsPort);
      const stream = client.open('PUT', `/resources/packfiles/${newRef('packfile').mac}`);
      stream.write(bytes.subarray(0, 512 * KiB));
      await untilWriting(gateway.folder);
      const trickle = setInterval(() => stream.write(bytes.subarray(0, KiB)), 50);
      const { status } = await answerOf(stream);
      clearInterval(trickle);
      expect(status).to.equal(408);
      expect((await client.ask('GET', '/')).status).to.equal(200);
      client.close();
      await expectNothing();
    });

    it('gets DEADLINE_EXCEEDED over gRPC, and its other calls go on', async () => {
      const client = await RawGrpc.connect(gateway.grpcPort);
      const call = client.call(putPath);
      await call.send(upload.header(newRef('packfile')), upload.chunk(bytes.subarray(0, 512 * KiB)));
      await untilWriting(gateway.folder);
      const trickle = setInterval(() => call.stream.write(upload.chunk(bytes.subarray(0, KiB))), 50);
      const { code, message } = await call.outcome;
      clearInterval(trickle);
      expect(code).to.equal(Code.DEADLINE_EXCEEDED);
      expect(message).to.equal('too slow: less than 65536 bytes a second for 1 s');
      await expectNothing();
      const other = client.call(getPath);
      other.end(getRequest(newRef('packfile')));
      expect((await other.outcome).code).to.equal(Code.NOT_FOUND);
      client.close();
    });
  });

  describe('with an upload that is fast enough', () => {
    const count = 24;
    const bytes = makeObject('packfile', count * 64 * KiB);
    /** 256 KiB/s for six seconds: several stall times, at a multiple of the minimum rate, as the machine may be busy. */
    const pieces = Array.from({ length: count }, (_, i) => bytes.subarray(i * 64 * KiB, (i + 1) * 64 * KiB));

    beforeEach(async () => {
      gateway = await startSecureGateway({ 'stall-timeout': '2s', 'min-rate': '16KiB', durability: 'none' });
    });

    /** Sends pieces, with a pause before each of them. */
    async function steadily(all: readonly Uint8Array[], send: (piece: Uint8Array) => unknown): Promise<void> {
      for (const piece of all) {
        await sleep(250);
        await send(piece);
      }
    }

    it('is stored, however long it takes, over each protocol', async () => {
      const refs = [newRef('packfile'), newRef('packfile'), newRef('packfile'), newRef('packfile')] as const;
      const paths = refs.map(({ mac }) => `/resources/packfiles/${mac}`);

      const http1 = await RawHttp.connect(gateway.httpPort);
      await http1.send(requestHead('PUT', paths[0] ?? '', { 'Transfer-Encoding': 'chunked' }));
      const http2 = await Http2Client.connect(gateway.httpsPort);
      const stream = http2.open('PUT', paths[1] ?? '');
      const answered = answerOf(stream);
      const grpc = await RawGrpc.connect(gateway.grpcPort);
      const call = grpc.call(putPath);
      await call.send(upload.header(refs[2]));
      // The same as a single message: bytes count when they arrive, not when their message is complete.
      const single = grpc.call(putPath);
      await single.send(upload.header(refs[3]));
      const message = upload.chunk(bytes);
      const parts = Array.from({ length: count }, (_, i) =>
        message.subarray(i * 64 * KiB, i === count - 1 ? undefined : (i + 1) * 64 * KiB),
      );

      await Promise.all([
        steadily(pieces, (piece) => http1.send(chunk(piece))).then(() => http1.send(lastChunk)),
        steadily(pieces, (piece) => stream.write(piece)).then(() => stream.end()),
        steadily(pieces, (piece) => call.send(upload.chunk(piece))).then(() => call.end(upload.finish(bytes.length))),
        steadily(parts, (piece) => single.send(piece)).then(() => single.end(upload.finish(bytes.length))),
      ]);
      expect((await http1.answer('PUT')).status).to.equal(200);
      expect((await answered).status).to.equal(200);
      expect((await call.outcome).code).to.equal(Code.OK);
      expect((await single.outcome).code).to.equal(Code.OK);
      const stored = (await objects(gateway.folder)).map((name) => name.slice(-64));
      expect(stored).to.include.members(refs.map(({ mac }) => mac));
      for (const each of [http1, http2, grpc]) each.close();
    });
  });

  describe('with a download', () => {
    const bytes = makeObject('state', 32 * MiB);
    const ref = newRef('state');
    const path = `/resources/states/${ref.mac}`;

    beforeEach(async () => {
      // Progress within a chunk is not visible, so a chunk gets the time that it takes at the minimum rate: the higher that is, the less.
      gateway = await startSecureGateway({ 'stall-timeout': '1s', 'min-rate': '1MiB', durability: 'none' });
      await put(gateway.httpPort, path, bytes);
    });

    const untilLost = (): Promise<boolean> =>
      eventually(
        async () => gateway.log.some((line) => line['path'] === path && line['status'] === 499),
        'the download is aborted',
      );

    it('is disconnected if it reads nothing over HTTP 1.1, and the file is released', async () => {
      const connection = await RawHttp.connect(gateway.httpPort);
      connection.socket.pause();
      await connection.send(requestHead('GET', path));
      await untilOpenFiles(1, gateway.folder);
      await untilLost();
      await untilOpenFiles(0, gateway.folder);
      // Shorter than the announced length, so that the client can't take it for a whole answer.
      connection.socket.resume();
      expect((await connection.untilClosed()).length).to.be.lessThan(bytes.length);
      connection.close();
    });

    for (const [protocol, begin] of [
      [
        'HTTP/2',
        async () => {
          const connection = await RawHttp2.connectTls(gateway.httpsPort);
          return [connection, connection.open('GET', path, {}, { endStream: true })] as const;
        },
      ],
      [
        'gRPC',
        async () => {
          const connection = await RawHttp2.connect(gateway.grpcPort);
          const stream = connection.request(getPath);
          await connection.data(stream, getRequest(ref), { endStream: true });
          return [connection, stream] as const;
        },
      ],
    ] as const) {
      it(`has its stream reset if it reads nothing over ${protocol}, and the file is released`, async () => {
        const [connection, stream] = await begin();
        await untilOpenFiles(1, gateway.folder);
        await eventually(async () => connection.resets.has(stream), 'the stream is reset');
        await untilOpenFiles(0, gateway.folder);
        expect(connection.closed).to.equal(false);
        connection.close();
      });
    }

    it('gets all of it if it reads fast enough, however long that takes', async () => {
      await gateway.close();
      gateway = await startSecureGateway({ 'stall-timeout': '1s', 'min-rate': '64KiB', durability: 'none' });
      await put(gateway.httpPort, path, bytes);
      const connection = connect({ port: gateway.httpPort, host: '127.0.0.1' });
      connection.write(requestHead('GET', path));
      let received = 0;
      for await (const data of connection as AsyncIterable<Buffer>) {
        received += data.length;
        // Some five seconds in all.
        if (received < bytes.length) await sleep(data.length / (6 * KiB));
        else break;
      }
      expect(received).to.be.greaterThan(bytes.length);
    });
  });
});
