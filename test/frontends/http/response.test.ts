import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { bytesType, HttpResponse } from '../../../src/frontends/http/response.js';

type Answer = (response: HttpResponse, request: IncomingMessage) => void;

const headroom = 256;
const memory = Buffer.alloc(1024, 'x');
const body = memory.subarray(512, 522);

/** As Node's own way sends it. */
const ordinary: Answer = (response) => {
  response.writeHead(200, ['content-type', bytesType, 'content-length', String(body.length)]);
  response.end(body);
};

describe('An answer over HTTP/1.1 that is a few bytes', () => {
  const servers: ReturnType<typeof createServer>[] = [];
  const sockets: Socket[] = [];

  /** A connection to a server that answers like that. */
  async function connectTo(answer: Answer): Promise<Socket> {
    const server = createServer({ ServerResponse: HttpResponse, keepAliveTimeout: 7000 }, (request, response) =>
      answer(response, request),
    );
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(socket);
    return socket;
  }

  /** What a server that answers like that sends for a request, the date left out, until it has answered `answers` times. */
  async function sent(answer: Answer, request: string, answers = 1): Promise<string> {
    const socket = await connectTo(answer);
    socket.write(request);
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.split(String(body)).length > answers || text.endsWith('\r\n\r\n')) break;
    }
    return text.replaceAll(/Date: [^\r]{29}\r\n/g, '');
  }

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  const atOnce: Answer = (response) => expect(response.sendBytes(body, headroom, () => undefined)).to.equal(true);
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

  it('has the headers that Node would send, in another order', async () => {
    const lines = (text: string): string[] => text.split('\r\n').sort();
    const wanted = await sent(ordinary, get);
    expect(wanted).to.include('timeout=7');
    expect(lines(await sent(atOnce, get))).to.deep.equal(lines(wanted));
  });

  it('has the date of its second', async () => {
    const socket = await connectTo(atOnce);
    socket.write(get);
    const [, date = ''] = /Date: ([^\r]+)/.exec(String(await once(socket, 'data'))) ?? [];
    expect(Math.abs(Date.now() - Date.parse(date))).to.be.below(3000);
  });

  it('is followed by others on its connection, also where they were asked for at once', async () => {
    const taken: boolean[] = [];
    const either: Answer = (response, request) => {
      const isSent = response.sendBytes(body, headroom, () => undefined);
      taken.push(isSent);
      if (!isSent) ordinary(response, request);
    };
    const text = await sent(either, get + get + get, 3);
    expect(text.match(/HTTP\/1\.1 200 OK/g)).to.have.length(3);
    // The others come before it is their turn.
    expect(taken).to.deep.equal([true, false, false]);
    const socket = sockets[0] as Socket;
    expect(socket.destroyed).to.equal(true);
  });

  for (const [what, request] of [
    ['a HEAD request', 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a connection that is to be closed', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'],
  ] as const) {
    it(`is left to Node for ${what}`, async () => {
      const either: Answer = (response, asked) => {
        expect(response.sendBytes(body, headroom, () => expect.fail('it was sent'))).to.equal(false);
        ordinary(response, asked);
      };
      expect(await sent(either, request)).to.equal(await sent(ordinary, request));
    });
  }

  it('has its head in front of its bytes, in the room that it may write to', async () => {
    memory.fill('x');
    const text = await sent(atOnce, get);
    expect(text.endsWith(`\r\n\r\n${'x'.repeat(10)}`)).to.equal(true);
    expect(memory.toString('latin1')).to.match(/^x{256,}HTTP\/1\.1 200 OK\r\n[^x]+x{512}$/);
  });

  it('is left to Node where there is no room for its head', async () => {
    memory.fill('x');
    const either: Answer = (response, asked) => {
      expect(response.sendBytes(body, 100, () => expect.fail('it was sent'))).to.equal(false);
      ordinary(response, asked);
    };
    expect(await sent(either, get)).to.equal(await sent(ordinary, get));
    expect(memory.every((byte) => byte === 120)).to.equal(true);
  });

  it('is left to Node where there is a head already', async () => {
    let isSent: boolean | undefined;
    await sent((response) => {
      response.writeHead(500);
      isSent = response.sendBytes(body, headroom, () => expect.fail('it was sent'));
      response.end();
    }, get);
    expect(isSent).to.equal(false);
  });

  it('says once that the system has the bytes, and then that the answer is over', async () => {
    const events: string[] = [];
    await sent((response) => {
      response.on('close', () => events.push('closed'));
      response.sendBytes(body, headroom, (isTaken) => events.push(isTaken ? 'taken' : 'lost'));
    }, get);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(events).to.deep.equal(['taken', 'closed']);
  });

  it('says once that it is lost where the client goes away without taking it', async () => {
    const large = Buffer.alloc(headroom + 64 * 1024 * 1024).subarray(headroom);
    const over = new Promise<unknown>((resolve) => {
      void connectTo((response) => {
        expect(response.sendBytes(large, headroom, resolve)).to.equal(true);
      }).then((socket) => {
        socket.write(get);
        socket.once('readable', () => socket.destroy());
      });
    });
    expect(await over).to.equal(false);
  });
});
