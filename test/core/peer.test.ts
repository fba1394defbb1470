import { expect } from 'chai';
import { once } from 'node:events';
import { connect, createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { peerOf, setPeer } from '../../src/core/peer.js';

describe('The other end of a connection', () => {
  it('is known by its socket and by HTTP/2’s proxy of it', async () => {
    const peer = { listener: 'office', address: '192.0.2.1' };
    const server = createServer();
    server.prependListener('connection', (socket: Socket) => setPeer(socket, peer));
    const seen: unknown[] = [];
    server.on('session', (session: ServerHttp2Session) => seen.push(peerOf(session.socket)));
    server.on('request', (request, response) => {
      seen.push(peerOf(request.socket));
      response.end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await once(client.request().resume().end(), 'close');
    client.close();
    server.close();
    expect(seen).to.deep.equal([peer, peer]);
  });

  it('is never made up', () => {
    expect(() => peerOf({})).to.throw('no peer was recorded for this connection');
  });
});
