import { expect } from 'chai';
import { METHODS } from 'node:http';
import type { ObjectRef } from '../../src/core/object.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { makeObject, newRef, seededBytes } from '../support/objects.js';
import { emptyStore } from '../support/temp.js';
import { fingerprint, objects, untilClean } from './support/folders.js';
import { ask, chunk, lastChunk, put, RawHttp, requestHead } from './support/raw-http.js';

const MiB = 1024 * 1024;

describe('HTTP requests', () => {
  const bytes = makeObject('packfile', 1000);
  let folder: string;
  let gateway: TestGateway;
  let ref: ObjectRef;
  let path: string;

  beforeEach(async () => {
    folder = await emptyStore();
    gateway = await startTestGateway(folder, { 'allow-delete': true });
    ref = newRef('packfile');
    path = `/resources/packfiles/${ref.mac}`;
  });

  afterEach(() => gateway.close());

  describe('with any content type', () => {
    const types = [
      undefined,
      '',
      ';;',
      'garbage',
      '/',
      'application/json',
      'application/json; charset=utf-16; charset=x',
      'application/octet-stream',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'multipart/form-data; boundary="',
      'text/plain; charset=',
      'application/grpc',
      '\u00e9\u00ff/\u00fe',
      'x'.repeat(4000),
    ];
    for (const type of types) {
      it(`do the same: ${JSON.stringify(type)?.slice(0, 60) ?? 'none'}`, async () => {
        const headers: Record<string, string> = type === undefined ? {} : { 'Content-Type': type };
        const length = { 'Content-Length': String(bytes.length) };
        const { httpPort } = gateway;
        expect((await ask(httpPort, 'PUT', path, { ...headers, ...length }, bytes)).status).to.equal(200);
        expect((await ask(httpPort, 'GET', path, headers)).body.equals(bytes)).to.equal(true);
        expect((await ask(httpPort, 'GET', '/resources/packfiles', headers)).body.toString()).to.contain(ref.mac);
        const empty = { ...headers, 'Content-Length': '0' };
        expect((await ask(httpPort, 'DELETE', path, empty)).status).to.equal(200);
        expect((await ask(httpPort, 'DELETE', path, headers)).status).to.equal(200);
        expect(await objects(folder)).to.deep.equal([]);
      });
    }

    it('store what looks like JSON, a form or gzip as the bytes that it is', async () => {
      const { httpPort } = gateway;
      const coded = { 'Content-Encoding': 'gzip', 'Content-Type': 'application/json' };
      const length = { 'Content-Length': String(bytes.length) };
      expect((await ask(httpPort, 'PUT', path, { ...coded, ...length }, bytes)).status).to.equal(200);
      const answer = await ask(httpPort, 'GET', path, { 'Accept-Encoding': 'gzip, br', Accept: 'application/json' });
      expect(answer.body.equals(bytes)).to.equal(true);
      expect(answer.headers['content-encoding']).to.equal(undefined);
    });
  });

  it('with a tab at the end of a field are taken like those without', async () => {
    const answer = await ask(gateway.httpPort, 'GET', '/resources/packfiles', { 'X-Note': 'value\t' });
    expect(answer.status).to.equal(200);
    expect(answer.body.toString()).to.equal('[]\n');
  });

  it('that say that they have a part of an object are refused', async () => {
    const headers = { 'Content-Length': String(bytes.length), 'Content-Range': `bytes 0-${bytes.length - 1}/10000` };
    expect((await ask(gateway.httpPort, 'PUT', path, headers, bytes)).status).to.equal(400);
    expect(await objects(folder)).to.deep.equal([]);
  });

  describe('that ask before they send (Expect: 100-continue)', () => {
    const expecting = { Expect: '100-continue', 'Content-Length': String(bytes.length) };

    it('are told to go on when the body is wanted', async () => {
      const connection = await RawHttp.connect(gateway.httpPort);
      await connection.send(requestHead('PUT', path, expecting));
      expect(await connection.interim()).to.equal(100);
      await connection.send(bytes);
      expect(await connection.answer('PUT')).to.deep.include({ status: 200, interim: [] });
      connection.close();
      expect((await ask(gateway.httpPort, 'GET', path)).body.equals(bytes)).to.equal(true);
    });

    it('are told at once where the request is no good', async () => {
      const bad = {
        'PUT /resources/packfiles/xyz': 400,
        'PUT /nowhere': 404,
        'POST /': 405,
        'PUT /resources/locks': 405,
      };
      for (const [line, status] of Object.entries(bad)) {
        const [method = '', target = ''] = line.split(' ');
        expect(await ask(gateway.httpPort, method, target, expecting), line).to.deep.include({ status, interim: [] });
      }
    });

    it('are told at once where the body is larger than it may be, and leave nothing behind', async () => {
      const small = await startTestGateway(folder, { 'allow-delete': true, 'max-object-size': '1MiB' });
      const locked = `/resources/locks/${newRef('lock').mac}`;
      for (const [target, largest] of [
        [path, MiB],
        [locked, 64 * 1024],
      ] as const) {
        const tooLarge = { ...expecting, 'Content-Length': String(largest + 1) };
        const answer = await ask(small.httpPort, 'PUT', target, tooLarge);
        expect(answer).to.deep.include({ status: 413, interim: [] });
        expect(answer.body.toString()).to.contain(`may have ${largest} bytes at most`);
      }
      await untilClean(folder);
      await small.close();
    });

    it('are told at once where access is read-only, and can then ask for something else or send it all the same', async () => {
      const readOnly = await startTestGateway(folder);
      const connection = await RawHttp.connect(readOnly.httpPort);
      await connection.send(requestHead('PUT', path, expecting));
      const refused = await connection.answer('PUT');
      expect(refused).to.deep.include({ status: 403, interim: [] });
      if (refused.headers['connection'] !== 'close') {
        await connection.send(bytes, requestHead('GET', '/resources/packfiles'));
        expect((await connection.answer()).body.toString()).to.equal('[]\n');
      }
      connection.close();
      await readOnly.close();
    });

    it('are refused where they expect something else', async () => {
      const { status } = await ask(gateway.httpPort, 'PUT', path, { ...expecting, Expect: 'wonders' });
      expect(status).to.equal(417);
      expect((await ask(gateway.httpPort, 'GET', path)).status).to.equal(404);
    });
  });

  describe('that are refused while their body comes', () => {
    for (const framing of ['chunked', 'with a Content-Length'] as const) {
      it(`deliver the text to a client that sends 64 MiB ${framing} before it reads`, async () => {
        const readOnly = await startTestGateway(folder);
        const before = fingerprint(folder);
        const connection = await RawHttp.connect(readOnly.httpPort);
        connection.socket.pause();
        const big = Buffer.concat([bytes, seededBytes(64 * MiB, 'big')]);
        if (framing === 'chunked') {
          await connection.send(requestHead('PUT', path, { 'Transfer-Encoding': 'chunked' }));
          for (let at = 0; at < big.length; at += MiB) await connection.send(chunk(big.subarray(at, at + MiB)));
          await connection.send(lastChunk);
        } else {
          await connection.send(requestHead('PUT', path, { 'Content-Length': String(big.length) }), big);
        }
        connection.socket.resume();
        const { status, headers, body } = await connection.answer('PUT');
        expect(status).to.equal(403);
        expect(headers['content-type']).to.match(/^text\/plain/);
        expect(body.toString()).to.contain('your access to this store is read-only');
        expect(fingerprint(folder)).to.deep.equal(before);
        connection.close();
        await readOnly.close();
      });
    }

    it('leave the connection in order for the next one', async () => {
      const connection = await RawHttp.connect(gateway.httpPort);
      const garbage = seededBytes(2 * MiB, 'garbage');
      for (let i = 0; i < 20; i++) {
        await connection.send(requestHead('PUT', path, { 'Content-Length': String(garbage.length) }), garbage);
        expect((await connection.answer('PUT')).status).to.equal(400);
      }
      await connection.send(requestHead('GET', '/resources/packfiles'));
      expect((await connection.answer()).body.toString()).to.equal('[]\n');
      connection.close();
    });

    it('cut off a client that keeps sending after its answer', async function () {
      this.timeout(60_000);
      const connection = await RawHttp.connect(gateway.httpPort);
      await connection.send(requestHead('PUT', '/nowhere', { 'Transfer-Encoding': 'chunked' }));
      expect((await connection.answer('PUT')).status).to.equal(404);
      const drip = setInterval(() => void connection.send(chunk(Buffer.alloc(10))), 100);
      await connection.untilClosed();
      clearInterval(drip);
      connection.close();
    });
  });

  describe('with HEAD', () => {
    it('have the lengths of GET and no body', async () => {
      await put(gateway.httpPort, path, bytes);
      const connection = await RawHttp.connect(gateway.httpPort);
      for (const [target, headers] of [
        [path, {}],
        [path, { Range: 'bytes=10-30' }],
        [path, { Range: 'bytes=990-2000' }],
        [path, { Range: 'bytes=5000-6000' }],
        ['/', {}],
      ] as const) {
        await connection.send(requestHead('GET', target, headers), requestHead('HEAD', target, headers));
        const get = await connection.answer('GET');
        const head = await connection.answer('HEAD');
        expect(head.status).to.equal(200);
        expect(head.headers['content-length']).to.equal(get.headers['content-length']);
        expect(Number(head.headers['content-length'])).to.equal(get.body.length);
        expect(head.headers['content-type']).to.equal(get.headers['content-type']);
      }
      await connection.send(requestHead('HEAD', '/resources/packfiles'), requestHead('HEAD', '/nowhere'));
      expect((await connection.answer('HEAD')).status).to.equal(200);
      expect((await connection.answer('HEAD')).status).to.equal(404);
      await connection.send(requestHead('GET', path));
      expect((await connection.answer()).body.equals(bytes)).to.equal(true);
      connection.close();
    });
  });

  describe('with methods that a path does not have', () => {
    const allowed = {
      '/': 'GET, HEAD',
      '/resources/packfiles': 'GET, HEAD',
      [`/resources/packfiles/${'ab'.repeat(32)}`]: 'GET, HEAD, PUT, DELETE',
    };
    for (const [target, allow] of Object.entries(allowed)) {
      it(`are told which it has: ${target.slice(0, 30)}`, async () => {
        const before = fingerprint(folder);
        const others = METHODS.filter((method) => !allow.split(', ').includes(method) && method !== 'CONNECT');
        expect(others).to.include.members(['POST', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'MKCOL', 'MOVE']);
        for (const method of others) {
          const { status, headers, body } = await ask(
            gateway.httpPort,
            method,
            target,
            { 'Content-Length': '3' },
            'abc',
          );
          expect(status, method).to.equal(405);
          expect(headers['allow'], method).to.equal(allow);
          expect(body.toString(), method).to.equal(`method not allowed: this path has ${allow}\n`);
        }
        expect(fingerprint(folder)).to.deep.equal(before);
      });
    }

    it('are refused with an unknown method, and with CONNECT', async () => {
      for (const method of ['FROBNICATE', 'get', 'G\u00cbT']) {
        expect((await ask(gateway.httpPort, method, '/')).status, method).to.equal(400);
      }
      expect((await ask(gateway.httpPort, 'CONNECT', 'elsewhere:22')).status).to.equal(400);
    });

    it('that want another protocol are answered as if they did not', async () => {
      const headers = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAoAAA' };
      expect((await ask(gateway.httpPort, 'GET', '/resources/packfiles', headers)).body.toString()).to.equal('[]\n');
    });
  });

  it('with bodies that their method has no use for are answered, and the connection stays in order', async () => {
    await put(gateway.httpPort, path, bytes);
    const connection = await RawHttp.connect(gateway.httpPort);
    const ignored = { 'Content-Length': '100000', 'Content-Type': 'application/json' };
    for (const [method, target] of [
      ['GET', '/'],
      ['HEAD', path],
      ['GET', path],
      ['GET', '/resources/packfiles'],
      ['DELETE', path],
    ] as const) {
      await connection.send(requestHead(method, target, ignored), Buffer.alloc(100_000, 'GET / HTTP/1.1\r\n\r\n'));
      expect((await connection.answer(method)).status, method).to.equal(200);
    }
    await connection.send(requestHead('GET', '/resources/packfiles'));
    expect((await connection.answer()).body.toString()).to.equal('[]\n');
    expect(connection.isSilent).to.equal(true);
    connection.close();
    expect(await objects(folder)).to.deep.equal([]);
  });

  it('with ten thousand tiny chunks are one object', async () => {
    const connection = await RawHttp.connect(gateway.httpPort);
    const small = makeObject('packfile', 10_000);
    await connection.send(requestHead('PUT', path, { 'Transfer-Encoding': 'chunked' }));
    await connection.send(...Array.from(small, (_, i) => chunk(small.subarray(i, i + 1))), lastChunk);
    expect((await connection.answer('PUT')).status).to.equal(200);
    connection.close();
    expect((await ask(gateway.httpPort, 'GET', path)).body.equals(small)).to.equal(true);
    await untilClean(folder);
  });
});
