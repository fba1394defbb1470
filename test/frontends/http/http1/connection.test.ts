import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Http1Connection, type Http1Limits } from '../../../../src/frontends/http/http1/connection.js';
import { Http1Server } from '../../../../src/frontends/http/http1/server.js';
import type { HttpStream } from '../../../../src/frontends/http/stream.js';
import { Pace } from '../../../../src/frontends/pace.js';
import { seededBytes } from '../../../support/objects.js';
import { eventually } from '../../../support/store.js';
import { chunk, lastChunk, RawHttp, requestHead } from '../../../wire/support/raw-http.js';

const MiB = 1024 * 1024;
const limits: Http1Limits = { maxHeaderBytes: 16 * 1024, headerTimeoutMs: 60_000, idleMs: 67_000 };
const pace = new Pace({ minRate: 0, stallMs: 60_000 });
const ignore = (): void => undefined;

type Handler = (stream: HttpStream) => unknown;

/** Answers with the method, the target and the body that came. */
async function echo(stream: HttpStream): Promise<void> {
  const pieces: Buffer[] = [Buffer.from(`${stream.method} ${stream.target} `)];
  for await (const piece of stream.body(pace.start(), ignore)) pieces.push(Buffer.from(piece));
  const answer = Buffer.concat(pieces);
  stream.begin(200, { 'content-length': answer.length });
  stream.end(answer, ignore);
}

for (const inlet of ['read where they are wanted', 'read as they come'] as const) {
  describe(`A connection over HTTP/1.1 whose bytes are ${inlet}`, () => {
    let listener: Server;
    let server: Http1Server;
    let accepted: Socket[];
    let clients: RawHttp[];

    async function serve(handler: Handler, delayMs = 0): Promise<void> {
      server = new Http1Server(limits, (stream) => void handler(stream));
      listener = createServer({ allowHalfOpen: true }, (socket) => {
        // As TLS has it, whose bytes can't be read anywhere.
        if (inlet === 'read as they come') Object.defineProperty(socket, 'encrypted', { value: true });
        accepted.push(socket);
        if (delayMs === 0) server.accept(socket);
        else void sleep(delayMs).then(() => server.accept(socket));
      });
      await once(listener.listen(0, '127.0.0.1'), 'listening');
    }

    async function connect(): Promise<RawHttp> {
      const client = await RawHttp.connect((listener.address() as AddressInfo).port);
      clients.push(client);
      return client;
    }

    beforeEach(() => {
      accepted = [];
      clients = [];
    });

    afterEach(() => {
      for (const client of clients) client.close();
      for (const socket of accepted) socket.destroy();
      listener.close();
    });

    const text = 'x'.repeat(100);
    const requests =
      requestHead('PUT', '/a', { 'Transfer-Encoding': 'chunked' }) +
      `${chunk(Buffer.from(text)).toString()}5;ext=1\r\nagain\r\n0\r\nTrailer: x\r\n\r\n` +
      requestHead('GET', '/b', { Range: 'bytes=1-2' }) +
      `\r\n${requestHead('PUT', '/c', { 'Content-Length': '3' })}abc` +
      requestHead('DELETE', '/d', { Connection: 'close' });
    const answers = [`PUT /a ${text}again`, 'GET /b ', 'PUT /c abc', 'DELETE /d '];

    it('has each of its requests answered in turn, wherever what it brings is cut', async () => {
      await serve(echo);
      const all = Array.from({ length: requests.length - 1 }, (_, i) => [
        requests.slice(0, i + 1),
        requests.slice(i + 1),
      ]);
      for (const parts of [[requests], Array.from(requests), ...all]) {
        const client = await connect();
        for (const part of parts) {
          await client.send(part);
          await new Promise((resolve) => setImmediate(resolve));
        }
        for (const answer of answers) expect((await client.answer()).body.toString()).to.equal(answer);
        expect(await client.untilClosed()).to.have.length(0);
      }
    }).timeout(60_000);

    it('brings an upload whole, and the next one behind it', async () => {
      await serve(echo);
      const client = await connect();
      const bytes = seededBytes(5 * MiB + 3, 'upload');
      for (let i = 0; i < 3; i++) {
        await client.send(requestHead('PUT', '/', { 'Transfer-Encoding': 'chunked' }));
        for (let at = 0; at < bytes.length; at += 100_000) await client.send(chunk(bytes.subarray(at, at + 100_000)));
        await client.send(lastChunk, requestHead('PUT', '/', { 'Content-Length': String(bytes.length) }), bytes);
        for (let j = 0; j < 2; j++) expect((await client.answer('PUT')).body.subarray(6).equals(bytes)).to.equal(true);
      }
    });

    it('brings what came before anybody took it', async () => {
      await serve(echo, 50);
      const client = await connect();
      await client.send(requestHead('PUT', '/', { 'Content-Length': '5' }), 'hello');
      expect((await client.answer()).body.toString()).to.equal('PUT / hello');
    });

    it('has what it brought answered when the client has ended its side, and closes then', async () => {
      await serve((stream) => {
        stream.begin(200, { 'content-length': 2 });
        stream.end(Buffer.from(stream.target), ignore);
      }, 50);
      const client = await connect();
      client.socket.end(requestHead('GET', '/a') + requestHead('GET', '/b'));
      expect((await client.answer()).body.toString()).to.equal('/a');
      expect((await client.answer()).body.toString()).to.equal('/b');
      expect(await client.untilClosed()).to.have.length(0);
    });

    it('goes on with an answer that was begun when the client ended its side, and gives up one that was not', async () => {
      const over: boolean[] = [];
      let goOn = ignore;
      await serve((stream) => {
        stream.onOver((isDelivered) => over.push(isDelivered));
        if (stream.target === '/never') return;
        stream.begin(200, { 'content-length': 6 });
        stream.write(Buffer.from('one'), ignore);
        goOn = () => stream.end(Buffer.from('two'), ignore);
      });
      const [begun, waiting] = [await connect(), await connect()];
      await begun.send(requestHead('GET', '/'));
      await waiting.send(requestHead('GET', '/never'));
      begun.socket.end();
      waiting.socket.end();
      expect(await waiting.untilClosed()).to.have.length(0);
      expect(over).to.deep.equal([false]);
      goOn();
      expect((await begun.answer()).body.toString()).to.equal('onetwo');
      expect(await begun.untilClosed()).to.have.length(0);
      expect(over).to.deep.equal([false, true]);
    });

    it('brings an upload whole beside others that are thrown away in the middle', async () => {
      await serve(async (stream) => {
        if (stream.target === '/whole') return echo(stream);
        for await (const piece of stream.body(pace.start(), ignore)) if (piece.length > 100_000) break;
        stream.begin(400, { 'content-length': 0 });
        stream.end(undefined, ignore);
      });
      const whole = await connect();
      const bytes = Buffer.alloc(8 * MiB, 'w');
      await whole.send(requestHead('PUT', '/whole', { 'Content-Length': String(bytes.length) }));
      for (let at = 0; at < bytes.length; at += MiB) {
        const other = await connect();
        await other.send(requestHead('PUT', '/other', { 'Content-Length': String(8 * MiB) }));
        for (let sent = 0; sent < 16; sent++) {
          await other.send(Buffer.alloc(100_000, 'o'));
          await whole.send(bytes.subarray(at + (sent * MiB) / 16, at + ((sent + 1) * MiB) / 16));
        }
      }
      expect((await whole.answer('PUT')).body.subarray('PUT /whole '.length).equals(bytes)).to.equal(true);
    });

    it('waits where nobody wants more of an upload', async () => {
      const streams: HttpStream[] = [];
      await serve((stream) => streams.push(stream));
      const client = await connect();
      await client.send(requestHead('PUT', '/', { 'Content-Length': String(64 * MiB) }));
      client.socket.write(Buffer.alloc(64 * MiB));
      await sleep(200);
      expect(client.socket.writableLength).to.be.greaterThan(32 * MiB);
      let received = 0;
      const body = (streams[0] as HttpStream).body(pace.start(), (count) => (received += count));
      for await (const piece of body) expect(piece.length).to.be.lessThan(MiB);
      expect(received).to.equal(64 * MiB);
    });

    it('waits where a client sends requests and takes no answers', async () => {
      let asked = 0;
      await serve((stream) => {
        asked += 1;
        stream.begin(200, { 'content-length': MiB });
        stream.end(Buffer.alloc(MiB), ignore);
      });
      const client = await connect();
      client.socket.pause();
      client.socket.write(requestHead('GET', '/').repeat(1_000_000));
      await sleep(200);
      expect(asked).to.be.lessThan(20);
      expect(client.socket.writableLength).to.be.greaterThan(MiB);
    });

    it('sends an answer of unknown length in chunks, and to HTTP/1.0 until it closes', async () => {
      await serve((stream) => {
        stream.begin(200, {});
        stream.write(Buffer.from('one'), ignore);
        stream.write(Buffer.from('two'), ignore);
        stream.end(Buffer.from('three'), ignore);
      });
      const client = await connect();
      await client.send(requestHead('GET', '/'), 'GET / HTTP/1.0\r\n\r\n');
      const { headers, body } = await client.answer();
      expect(headers).to.include({ 'transfer-encoding': 'chunked', connection: 'keep-alive' });
      expect(body.toString()).to.equal('onetwothree');
      const old = (await client.untilClosed()).toString();
      expect(old).to.match(/^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n\r\nonetwothree$/);
      expect(old).to.not.match(/transfer-encoding/i);
    });

    it('says how long it stays, and of which second an answer is', async () => {
      await serve(echo);
      const client = await connect();
      await client.send(requestHead('GET', '/'));
      const { headers } = await client.answer();
      expect(headers).to.include({ connection: 'keep-alive', 'keep-alive': 'timeout=67' });
      expect(Math.abs(Date.now() - Date.parse(headers['date'] ?? ''))).to.be.below(3000);
    });

    it('stays for a client that is slow to take its last answer, and not for one that does not close', async () => {
      await serve(ignore);
      server.accept = (socket) => {
        connection = new Http1Connection(
          socket,
          () => limits,
          (stream) => {
            stream.begin(200, { 'content-length': 64 * MiB });
            stream.end(Buffer.alloc(64 * MiB), ignore);
          },
        );
      };
      let connection: Http1Connection | undefined;
      const client = await connect();
      client.socket.pause();
      await client.send(requestHead('GET', '/', { Connection: 'close' }));
      await eventually(async () => (connection?.socket.writableLength ?? 0) > 0, 'the answer is on its way');
      connection?.check(performance.now() + 60_000);
      expect(connection?.socket.destroyed).to.equal(false);
      client.socket.resume();
      expect((await client.answer()).body).to.have.length(64 * MiB);
      connection?.check(performance.now() + 1000);
      expect(connection?.socket.destroyed).to.equal(false);
      connection?.check(performance.now() + 60_000);
      expect(connection?.socket.destroyed).to.equal(true);
    });

    it('stays however long the gateway takes, and not for a client that sends nothing more', async () => {
      await serve(ignore);
      server.accept = (socket) => {
        connection = new Http1Connection(
          socket,
          () => limits,
          (stream) => (asked = stream),
        );
      };
      let connection: Http1Connection | undefined;
      let asked: HttpStream | undefined;
      const hourMs = 3_600_000;
      const client = await connect();
      await client.send(requestHead('DELETE', '/'));
      await eventually(async () => asked !== undefined, 'the request is there');
      connection?.check(performance.now() + hourMs);
      expect(connection?.socket.destroyed).to.equal(false);
      asked?.begin(200, { 'content-length': 0 });
      asked?.end(Buffer.alloc(0), ignore);
      expect((await client.answer('DELETE')).status).to.equal(200);
      asked = undefined;
      const sent = client.send(requestHead('PUT', '/', { 'Content-Length': String(8 * MiB) }), Buffer.alloc(4 * MiB));
      await eventually(async () => asked !== undefined, 'the upload is there');
      // Nobody has asked for its bytes yet.
      await sleep(100);
      connection?.check(performance.now() + hourMs);
      expect(connection?.socket.destroyed).to.equal(false);
      const body = (asked as HttpStream | undefined)?.body(pace.start(), ignore)[Symbol.asyncIterator]();
      for (let got = 0; got < 3 * MiB;) got += (await body?.next())?.value?.length ?? NaN;
      await sent;
      connection?.check(performance.now() + hourMs);
      expect(connection?.socket.destroyed).to.equal(true);
    });

    it('has what is left of a request thrown away when that was answered', async () => {
      await serve((stream) => {
        stream.begin(403, { 'content-length': 2 });
        stream.end(Buffer.from('no'), ignore);
      });
      const client = await connect();
      for (let i = 0; i < 3; i++) {
        await client.send(requestHead('PUT', '/', { 'Content-Length': String(MiB) }), Buffer.alloc(MiB));
        expect((await client.answer('PUT')).status).to.equal(403);
      }
    });

    it('ends with a refusal where nobody knows whether the body that was asked about comes', async () => {
      await serve((stream) => {
        stream.begin(403, { 'content-length': 0 });
        stream.end(undefined, ignore);
      });
      const client = await connect();
      await client.send(requestHead('PUT', '/', { Expect: '100-continue', 'Content-Length': '5' }));
      const { headers, interim } = await client.answer('PUT');
      expect(interim).to.deep.equal([]);
      expect(headers['connection']).to.equal('close');
      await client.send(requestHead('GET', '/'));
      expect(await client.untilClosed()).to.have.length(0);
    });

    it('ends with the answer to a request whose chunks are none, and says so', async () => {
      await serve((stream) => {
        stream.begin(400, { 'content-length': 0 });
        stream.end(undefined, ignore);
      });
      const client = await connect();
      await client.send(requestHead('PUT', '/', { 'Transfer-Encoding': 'chunked' }), 'zz\r\n', requestHead('GET', '/'));
      expect((await client.answer('PUT')).headers['connection']).to.equal('close');
      expect(await client.untilClosed()).to.have.length(0);
    });

    it('tells once that a client has its answer, and that one is gone without', async () => {
      const over: boolean[] = [];
      await serve((stream) => {
        stream.onOver((isDelivered) => over.push(isDelivered));
        if (stream.target === '/') void echo(stream);
      });
      const client = await connect();
      await client.send(requestHead('GET', '/'));
      await client.answer();
      expect(over).to.deep.equal([true]);
      await client.send(requestHead('GET', '/never'));
      await sleep(20);
      client.close();
      await eventually(async () => over.length === 2, 'the client is gone');
      await sleep(20);
      expect(over).to.deep.equal([true, false]);
    });

    it('closes at once when it is idle, and otherwise when its request has its answer', async () => {
      let go = ignore;
      await serve(async (stream) => {
        if (stream.target === '/later') await new Promise<void>((resolve) => (go = resolve));
        await echo(stream);
      });
      const [fresh, idle, busy] = [await connect(), await connect(), await connect()];
      await idle.send(requestHead('GET', '/'));
      await idle.answer();
      await busy.send(requestHead('GET', '/later'));
      await sleep(20);
      server.close();
      for (const client of [fresh, idle]) expect(await client.untilClosed()).to.have.length(0);
      expect(busy.ended).to.equal(false);
      go();
      const { headers, body } = await busy.answer();
      expect(headers['connection']).to.equal('close');
      expect(body.toString()).to.equal('GET /later ');
      expect(await busy.untilClosed()).to.have.length(0);
    });

    it('ends behind an answer, and resets nothing, where the client has sent far more requests', async () => {
      const body = Buffer.alloc(16 * MiB);
      await serve((stream) => {
        stream.begin(200, { 'content-length': body.length });
        stream.end(body, ignore);
      });
      const client = await connect();
      const errors: Error[] = [];
      client.socket.on('error', (error) => errors.push(error));
      client.socket.pause();
      void client.send(requestHead('GET', '/', { 'X-Long': 'x'.repeat(1000) }).repeat(2000));
      await sleep(100);
      server.close();
      // Slowly, so that much of it is still on its way when the server is done.
      client.socket.on('data', () => {
        client.socket.pause();
        setTimeout(() => client.socket.resume(), 1);
      });
      client.socket.resume();
      const received = await client.untilClosed();
      const head = received.indexOf('\r\n\r\n') + 4;
      expect(received.length % (head + body.length)).to.be.at.most(40);
      expect(received.length).to.be.at.least(head + body.length);
      expect(errors).to.deep.equal([]);
    });
  });
}
