import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setPeer } from '../../../../src/core/peer.js';
import { Http2Stream } from '../../../../src/frontends/http/http2/http2-stream.js';
import { guardSession } from '../../../../src/frontends/http2-sessions.js';
import { Pace } from '../../../../src/frontends/pace.js';
import { silent } from '../../../support/gateway.js';
import { eventually } from '../../../support/store.js';
import { RawHttp2 } from '../../../wire/support/raw-http2.js';

const pace = new Pace({ minRate: 0, stallMs: 60_000 });
const limits = { maxResets: 100, idleMs: 60_000, idleOnlyAtFirst: false };
const ignore = (): void => undefined;

describe('A request over HTTP/2', () => {
  let server: Http2Server;
  let client: RawHttp2;
  let over: boolean[];

  async function serve(handler: (stream: Http2Stream) => unknown): Promise<void> {
    over = [];
    server = createServer((request, response) => {
      const stream = new Http2Stream(request, response);
      stream.onOver((isDelivered) => over.push(isDelivered));
      void handler(stream);
    });
    server.prependListener('connection', (socket) => setPeer(socket, { listener: 'http', address: '127.0.0.1' }));
    server.on('session', (session) => guardSession(session, limits, silent));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    client = await RawHttp2.connect((server.address() as AddressInfo).port);
  }

  afterEach(() => {
    client.close();
    server.close();
  });

  it('is over with its answer', async () => {
    await serve((stream) => {
      stream.begin(200, { 'content-length': 2 });
      stream.end(Buffer.from('ok'), ignore);
    });
    client.open('GET', '/', {}, { endStream: true });
    await eventually(async () => over.length > 0, 'it is over');
    expect(over).to.deep.equal([true]);
  });

  for (const code of [0, 8]) {
    it(`is over when it is reset with code ${code} while its answer is made, its body taken or not`, async () => {
      let taken = 0;
      await serve(async (stream) => {
        if (stream.method === 'GET') return;
        for await (const piece of stream.body(pace.start(), ignore)) taken += piece.length;
      });
      const upload = client.open('PUT', '/');
      await client.data(upload, Buffer.alloc(1000), { endStream: true });
      const download = client.open('GET', '/', {}, { endStream: true });
      await eventually(async () => taken === 1000, 'its body is taken');
      for (const stream of [upload, download]) {
        client.reset(stream, code);
        await eventually(async () => over.length > 0, 'it is over');
        expect(over.splice(0)).to.deep.equal([false]);
      }
    });
  }
});
