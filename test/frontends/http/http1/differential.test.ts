import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { Http1Server } from '../../../../src/frontends/http/http1/server.js';
import { Pace } from '../../../../src/frontends/pace.js';

/** What two servers made of the same bytes: the requests that they took for whole ones, with their bodies. */
type Reading = readonly string[];

const pace = new Pace({ minRate: 0, stallMs: 60_000 });
const ignore = (): void => undefined;

/** Requests that are in order, one after the other on a connection. */
const whole = [
  'PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world',
  'PUT /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX-Y: z\r\n\r\n5;e=1\r\nhello\r\n6\r\n world\r\n0\r\nT: u\r\n\r\n',
  'GET /c HTTP/1.1\r\nHost: x\r\nRange: bytes=1-2\r\n\r\n',
  'DELETE /d HTTP/1.1\r\nhost: x\r\nContent-Length: 0\r\n\r\n',
];

/** What is put into them, or in place of a byte. */
const pieces = [
  ...'\r\n\0\t :;,=09aFx-+/"\x0b\x0c\x7f\x80\xff',
  '\r\n',
  '\r\n\r\n',
  '\n\n',
  ' \r\n ',
  'Content-Length: 3\r\n',
  'Content-Length: 11\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding:\r\n chunked\r\n',
  'chunked',
  '0\r\n\r\n',
  'GET /e HTTP/1.1\r\nHost: x\r\n\r\n',
];

/** Numbers that look random and are always the same. */
function* numbers(seed: string): Generator<number, never, undefined> {
  for (let round = 0; ; round++) {
    const digest = createHash('sha256').update(`${seed} ${round}`).digest();
    for (let at = 0; at < digest.length; at += 4) yield digest.readUInt32LE(at);
  }
}

/** The requests, with one to three places in them changed. */
function damaged(seed: string): string {
  const random = numbers(seed);
  const below = (limit: number): number => random.next().value % limit;
  let text = whole.slice(below(2), 2 + below(3)).join('');
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const at = below(text.length);
    const piece = pieces[below(pieces.length)] ?? '';
    text = text.slice(0, at) + (below(4) === 0 ? '' : piece) + text.slice(at + below(2));
  }
  return text;
}

describe('Bytes that are hardly HTTP/1.1', function () {
  this.timeout(60_000);
  let readings: string[];
  let ours: Server;
  let nodes: Server;

  before(async () => {
    const http1 = new Http1Server({ maxHeaderBytes: 16 * 1024, headerTimeoutMs: 60_000, idleMs: 60_000 }, (stream) => {
      void (async () => {
        const hash = createHash('sha256');
        for await (const piece of stream.body(pace.start(), ignore)) hash.update(piece);
        readings.push(`${stream.method} ${stream.target} ${hash.digest('hex')}`);
        stream.begin(200, { 'content-length': 0 });
        stream.end(undefined, ignore);
      })().catch(() => stream.breakOff());
    });
    ours = createServer({ allowHalfOpen: true }, (socket) => http1.accept(socket));
    nodes = createHttpServer((request, response) => {
      const hash = createHash('sha256');
      request.on('data', (piece: Buffer) => hash.update(piece));
      request.on('end', () => {
        readings.push(`${request.method} ${request.url} ${hash.digest('hex')}`);
        response.end();
      });
    });
    for (const server of [ours, nodes]) await once(server.listen(0, '127.0.0.1'), 'listening');
  });

  after(() => {
    ours.close();
    nodes.close();
  });

  /** What a server makes of the bytes, and of a request behind them that shows where they ended. */
  async function read(server: Server, text: string): Promise<Reading> {
    readings = [];
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const last = 'GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    socket.on('error', ignore);
    socket.write(Buffer.from(text + last, 'latin1'));
    // Where the end is still waited for, it won't come.
    const timer = setTimeout(() => socket.destroy(), 30);
    socket.on('data', () => timer.refresh());
    await once(socket.resume(), 'close');
    clearTimeout(timer);
    return readings;
  }

  it('are never taken for other requests than Node takes them for, and for no more of them', async () => {
    let taken = 0;
    for (let seed = 0; seed < 1500; seed++) {
      const text = damaged(String(seed));
      const [our, node] = [await read(ours, text), await read(nodes, text)];
      expect(node.slice(0, our.length), JSON.stringify(text)).to.deep.equal(our);
      if (our.length > 0) taken += 1;
    }
    expect(taken, 'how many of them had something in order').to.be.greaterThan(500);
  });
});
