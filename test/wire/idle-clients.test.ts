import { expect } from 'chai';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { eventually } from '../support/store.js';
import { openSockets, untilOpenSockets } from './support/folders.js';
import { Http2Client } from './support/http2-client.js';
import { framed, getPath } from './support/raw-grpc.js';
import { RawHttp, requestHead } from './support/raw-http.js';
import { frameType, RawHttp2 } from './support/raw-http2.js';
import { startSecureGateway, type SecureGateway } from './support/secure-gateway.js';

/* Timeouts: here the passing of time is what is tested. The limits are one second. */

/** Resolves when the other end has closed a connection. */
async function cutOff(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  socket.resume();
  if (!socket.closed) await once(socket, 'close', { signal: AbortSignal.timeout(30_000) });
}

describe('A client', function () {
  this.timeout(60_000);
  let gateway: SecureGateway;

  before(async () => {
    gateway = await startSecureGateway({ 'header-timeout': '1s', 'idle-timeout': '3s' });
  });

  after(async () => {
    await gateway.close();
    const trouble = gateway.log.filter(({ level }) => level !== 'info');
    expect(trouble, 'warnings and errors in the log').to.deep.equal([]);
  });

  describe('that sends its headers slowly', () => {
    it('gets 408 and is disconnected, even if it sends a byte now and then', async () => {
      const connection = await RawHttp.connect(gateway.httpPort);
      const trickle = setInterval(() => connection.socket.write('a'), 50);
      connection.socket.write('GET / HTTP/1.1\r\nHost: gateway\r\nX-Slow: ');
      const { status, body } = await connection.answer();
      clearInterval(trickle);
      expect(status).to.equal(408);
      expect(body.toString()).to.equal('the headers took too long\n');
      await connection.untilClosed();
      connection.close();
    });

    it('gets 408 at a later request of the connection, too', async () => {
      const connection = await RawHttp.connect(gateway.httpPort);
      await connection.send(requestHead('GET', '/'));
      expect((await connection.answer()).status).to.equal(200);
      connection.socket.write('GET / HTTP/1.1\r\nHost: ');
      expect((await connection.answer()).status).to.equal(408);
      await connection.untilClosed();
      connection.close();
    });

    it('is disconnected if it sends nothing at all', async () => {
      const sockets: Socket[] = [gateway.httpPort, gateway.grpcPort].map((port) =>
        connect({ port, host: '127.0.0.1' }),
      );
      const options = { port: gateway.httpsPort, host: '127.0.0.1', rejectUnauthorized: false };
      for (const ALPNProtocols of [['http/1.1'], ['h2']]) {
        const socket = connectTls({ ...options, ALPNProtocols });
        await once(socket, 'secureConnect');
        sockets.push(socket);
      }
      await Promise.all(sockets.map(cutOff));
    });

    for (const [protocol, open] of [
      ['HTTP/2', () => RawHttp2.connectTls(gateway.httpsPort)],
      ['gRPC', () => RawHttp2.connect(gateway.grpcPort)],
    ] as const) {
      it(`is disconnected if it sends one CONTINUATION frame after the other over ${protocol}`, async () => {
        const connection = await open();
        // HEADERS without END_HEADERS, and a CONTINUATION for each byte.
        connection.frame(frameType.headers, 0, 1, Buffer.from([0x82]));
        const trickle = setInterval(() => connection.frame(frameType.continuation, 0, 1, Buffer.from([0x84])), 100);
        await cutOff(connection.socket).finally(() => clearInterval(trickle));
      });

      it(`is disconnected if it stops in the middle of a frame over ${protocol}`, async () => {
        const connection = await open();
        // Otherwise the client's own SETTINGS acknowledgement would end up inside of the frame.
        await eventually(async () => connection.frames.includes(frameType.settings), 'the greetings are exchanged');
        connection.socket.write(Buffer.from([0, 0, 10, frameType.headers, 5, 0]));
        await cutOff(connection.socket);
      });
    }
  });

  describe('that sends a request now and then', () => {
    it('keeps its connection while it uses it, and is disconnected when idle, over HTTP 1.1', async () => {
      const connection = await RawHttp.connect(gateway.httpPort);
      for (let i = 0; i < 20; i++) {
        await connection.send(requestHead('GET', '/healthz'));
        expect((await connection.answer()).status).to.equal(200);
        await sleep(100);
        expect(connection.ended, 'closed too early').to.equal(false);
      }
      expect(await connection.untilClosed()).to.have.length(0);
      connection.close();
    });

    it('keeps its connection while it uses it, and is disconnected when idle, over HTTP/2', async () => {
      const client = await Http2Client.connect(gateway.httpsPort);
      let goAway = false;
      client.session.once('goaway', () => (goAway = true));
      let closed = false;
      client.session.once('close', () => (closed = true));
      for (let i = 0; i < 20; i++) {
        expect((await client.ask('GET', '/healthz')).status).to.equal(200);
        await sleep(100);
        expect(closed, 'closed too early').to.equal(false);
      }
      await eventually(async () => closed, 'the connection is closed');
      expect(goAway).to.equal(true);
    });

    for (const [protocol, connectTo] of [
      ['gRPC', () => RawHttp2.connect(gateway.grpcPort)],
      ['HTTP/2', () => RawHttp2.connectTls(gateway.httpsPort)],
    ] as const) {
      it(`is disconnected when idle, even if it never closes its own side, over ${protocol}`, async () => {
        const before = openSockets();
        const connection = await connectTo();
        connection.socket.allowHalfOpen = true;
        await eventually(async () => connection.frames.includes(frameType.settings), 'the server greets');
        await untilOpenSockets(before + 1);
        expect(connection.frames).to.include(frameType.goAway);
        connection.close();
      });
    }

    it('keeps a gRPC connection that it has used: a store may be bound to it', async () => {
      const connection = await RawHttp2.connect(gateway.grpcPort);
      await connection.data(connection.request(getPath), framed(Buffer.alloc(0)), { endStream: true });
      await eventually(async () => connection.frames.includes(frameType.headers), 'the call is answered');
      // Two connections that are opened later, one after the other, and never used: both are closed before this one is.
      for (let i = 0; i < 2; i++) await cutOff((await RawHttp2.connect(gateway.grpcPort)).socket);
      expect(connection.closed).to.equal(false);
      connection.close();
    });
  });
});
