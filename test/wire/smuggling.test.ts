import { expect } from 'chai';
import type { Mac } from '../../src/core/object.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { makeObject, randomMac } from '../support/objects.js';
import { emptyStore } from '../support/temp.js';
import { objects, untilClean } from './support/folders.js';
import { ask, chunk, lastChunk, put, RawHttp, requestHead } from './support/raw-http.js';

describe('HTTP messages that two parsers could read in two ways', () => {
  const bytes = makeObject('packfile', 100);
  let folder: string;
  let gateway: TestGateway;
  let mac: Mac;
  let path: string;

  beforeEach(async () => {
    folder = await emptyStore();
    gateway = await startTestGateway(folder, { 'allow-delete': true });
    mac = randomMac();
    path = `/resources/packfiles/${mac}`;
  });

  afterEach(() => gateway.close());

  const start = (...fields: string[]): string => ['PUT PATH HTTP/1.1', 'Host: gateway', ...fields, '', ''].join('\r\n');
  const inner = 'GET /resources/states HTTP/1.1\r\nHost: gateway\r\n\r\n';

  const ambiguous: Readonly<Record<string, readonly (string | Uint8Array)[]>> = {
    'a length and chunks': [
      start(`Content-Length: ${bytes.length}`, 'Transfer-Encoding: chunked'),
      chunk(bytes),
      lastChunk,
    ],
    'chunks and a length': [start('Transfer-Encoding: chunked', 'Content-Length: 4'), chunk(bytes), lastChunk],
    'two lengths': [start(`Content-Length: ${bytes.length}`, 'Content-Length: 5'), bytes],
    'two equal lengths': [start(`Content-Length: ${bytes.length}`, `Content-Length: ${bytes.length}`), bytes],
    'a list of lengths': [start(`Content-Length: ${bytes.length}, ${bytes.length}`), bytes],
    'a negative length': [start('Content-Length: -1'), bytes],
    'a signed length': [start(`Content-Length: +${bytes.length}`), bytes],
    'a hexadecimal length': [start('Content-Length: 0x64'), bytes],
    'a length beyond all numbers': [start(`Content-Length: ${'9'.repeat(30)}`), bytes],
    'an empty length': [start('Content-Length: '), bytes],
    'a folded header': [start('Transfer-Encoding:', ' chunked'), chunk(bytes), lastChunk],
    'a folded length': [start('X: y', ` Content-Length: ${bytes.length}`), bytes],
    'a space before the colon': [start('Transfer-Encoding : chunked'), chunk(bytes), lastChunk],
    'an unknown transfer coding': [start('Transfer-Encoding: xchunked'), chunk(bytes), lastChunk],
    'chunked not being last': [start('Transfer-Encoding: chunked, gzip'), chunk(bytes), lastChunk],
    'chunked twice': [start('Transfer-Encoding: chunked', 'Transfer-Encoding: identity'), chunk(bytes), lastChunk],
    'a vertical tab in the coding': [start('Transfer-Encoding: \x0bchunked'), chunk(bytes), lastChunk],
    'a NUL in a header': [start('X: a\0b', `Content-Length: ${bytes.length}`), bytes],
    'a bare CR in a header': [start(`X: a\rContent-Length: ${bytes.length}`), bytes],
    'a host with a space': [start(`Content-Length: ${bytes.length}`).replace('gateway', 'a b'), bytes],
    'two hosts': [start('Host: other', `Content-Length: ${bytes.length}`), bytes],
    'a host and a user': [start(`Content-Length: ${bytes.length}`).replace('gateway', 'me@gateway'), bytes],
    'no host': [`PUT PATH HTTP/1.1\r\nContent-Length: ${bytes.length}\r\n\r\n`, bytes],
    'lines that end in a bare LF': [`PUT PATH HTTP/1.1\nHost: gateway\nContent-Length: ${bytes.length}\n\n`, bytes],
    'a header without a name': [start(': x', `Content-Length: ${bytes.length}`), bytes],
    'a chunk size that is none': [start('Transfer-Encoding: chunked'), 'zz\r\n', bytes, '\r\n', lastChunk],
    'a negative chunk size': [start('Transfer-Encoding: chunked'), '-64\r\n', bytes, '\r\n', lastChunk],
    'a chunk size with 0x': [start('Transfer-Encoding: chunked'), '0x64\r\n', bytes, '\r\n', lastChunk],
    'a chunk size beyond all numbers': [start('Transfer-Encoding: chunked'), `${'f'.repeat(17)}\r\n`, bytes],
    'a chunk longer than its size': [start('Transfer-Encoding: chunked'), '32\r\n', bytes, '\r\n', lastChunk],
    'a chunk ended by a bare LF': [start('Transfer-Encoding: chunked'), '64\r\n', bytes, '\n', lastChunk],
    'a chunk size ended by a bare LF': [start('Transfer-Encoding: chunked'), '64\n', bytes, '\r\n', lastChunk],
    'a bare CR in a chunk extension': [start('Transfer-Encoding: chunked'), '64;a\rb\r\n', bytes, '\r\n', lastChunk],
    'a chunk extension beyond every measure': [
      start('Transfer-Encoding: chunked'),
      `64;${'x'.repeat(100_000)}\r\n`,
      bytes,
      '\r\n',
      lastChunk,
    ],
  };

  for (const [what, parts] of Object.entries(ambiguous)) {
    it(`are refused, store nothing and end the connection: ${what}`, async () => {
      const connection = await RawHttp.connect(gateway.httpPort);
      const [head, ...rest] = parts;
      await connection.send(String(head).replace('PATH', path), ...rest, inner);
      const received = (await connection.untilClosed()).toString('latin1');
      // One refusal, and no other answer: what follows was not taken for a request.
      expect(received.match(/HTTP\/1\.1 \d+/g)?.join(), received).to.match(/^HTTP\/1\.1 (400|413|431)$/);
      expect(received).to.not.contain('[]\n');
      connection.close();
      await untilClean(folder);
      expect(await objects(folder)).to.deep.equal([]);
    });
  }

  it('leave a good one of the same name alone', async () => {
    await put(gateway.httpPort, path, bytes);
    const connection = await RawHttp.connect(gateway.httpPort);
    await connection.send(
      `DELETE ${path} HTTP/1.1\r\nHost: gateway\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    );
    await connection.untilClosed();
    connection.close();
    expect(await objects(folder)).to.have.length(1);
  });

  for (const [what, text, status] of [
    ['bytes that are not HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ["HTTP/2's preface", 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['an empty method', ' / HTTP/1.1\r\n\r\n', 400],
    ['an unknown version', 'GET / HTTP/9.9\r\nHost: gateway\r\n\r\n', 400],
    ['headers beyond every measure', requestHead('GET', '/', { X: 'x'.repeat(100_000) }), 431],
  ] as const) {
    it(`are told what they are, and end the connection: ${what}`, async () => {
      const connection = await RawHttp.connect(gateway.httpPort);
      await connection.send(Buffer.from(text, 'latin1'));
      const answer = await connection.answer();
      expect(answer.status).to.equal(status);
      expect(answer.headers['connection']).to.equal('close');
      expect(answer.body.toString()).to.match(/\n$/);
      expect(await connection.untilClosed()).to.have.length(0);
      connection.close();
    });
  }

  it('are not chunk extensions and trailers, which are passed over', async () => {
    const connection = await RawHttp.connect(gateway.httpPort);
    await connection.send(requestHead('PUT', path, { 'Transfer-Encoding': 'chunked', Trailer: 'X-Sum' }));
    await connection.send('64;name=value;other="quoted"\r\n', bytes, '\r\n0;last\r\nX-Sum: 12\r\n\r\n');
    expect((await connection.answer()).status).to.equal(200);
    await connection.send(requestHead('GET', path));
    expect((await connection.answer()).body.equals(bytes)).to.equal(true);
    connection.close();
  });

  it('are not HTTP/1.0: answered, and the connection closed', async () => {
    await put(gateway.httpPort, path, bytes);
    const connection = await RawHttp.connect(gateway.httpPort);
    await connection.send(`GET ${path} HTTP/1.0\r\n\r\n`);
    const answer = await connection.answer();
    expect(answer.status).to.equal(200);
    expect(answer.body.equals(bytes)).to.equal(true);
    await connection.untilClosed();
    connection.close();
  });

  describe('and pipelined requests', () => {
    it('are answered in order, each with its own answer', async () => {
      const names = Array.from({ length: 20 }, () => randomMac());
      const bodies = names.map((name, i) => makeObject('packfile', 1000 + i * 1000, name));
      const connection = await RawHttp.connect(gateway.httpPort);
      const puts = names.map((name, i) => {
        const body = bodies[i] ?? Buffer.alloc(0);
        const head = requestHead('PUT', `/resources/packfiles/${name}`, { 'Content-Length': String(body.length) });
        return Buffer.concat([Buffer.from(head), body]);
      });
      await connection.send(...puts);
      for (const name of names) expect((await connection.answer('PUT')).status, name).to.equal(200);
      await connection.send(...names.map((name) => requestHead('GET', `/resources/packfiles/${name}`)));
      for (const body of bodies) expect((await connection.answer()).body.equals(body)).to.equal(true);
      connection.close();
    });

    it('are answered in order when some of them are refused, whether with or without a body', async () => {
      const big = makeObject('packfile', 500_000);
      const length = { 'Content-Length': String(big.length) };
      const connection = await RawHttp.connect(gateway.httpPort);
      await connection.send(
        requestHead('GET', '/nowhere', length),
        big,
        requestHead('PUT', '/resources/packfiles/short', length),
        big,
        requestHead('PUT', `/resources/states/${mac}`, length),
        big,
        requestHead('GET', '/', length),
        big,
        requestHead('POST', '/', { 'Transfer-Encoding': 'chunked' }),
        chunk(big),
        lastChunk,
        requestHead('HEAD', '/'),
        requestHead('DELETE', path, length),
        big,
        requestHead('GET', path),
      );
      const expected: [string, number][] = [
        ['GET', 404],
        ['PUT', 400],
        ['PUT', 400],
        ['GET', 200],
        ['POST', 405],
        ['HEAD', 200],
        ['DELETE', 200],
        ['GET', 404],
      ];
      for (const [method, status] of expected)
        expect((await connection.answer(method)).status, method).to.equal(status);
      connection.close();
      expect(await objects(folder)).to.deep.equal([]);
    });
  });

  it('do not make the next client wait', async () => {
    expect((await ask(gateway.httpPort, 'GET', '/resources/states')).body.toString()).to.equal('[]\n');
  });
});
