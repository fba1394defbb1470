import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { hasCode } from '../../../src/core/errors.js';
import { piecesOf } from '../../../src/frontends/http/body.js';
import { Pace } from '../../../src/frontends/pace.js';
import { seededBytes } from '../../support/objects.js';

const MiB = 1024 * 1024;

describe('The body of a request', () => {
  let cleanUp: (() => void) | undefined;

  afterEach(() => cleanUp?.());

  /** A request whose head the server has; its client goes on by hand. */
  async function begin(head: string, body = ''): Promise<{ request: IncomingMessage; client: Socket }> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
    cleanUp = () => {
      client.destroy();
      server.closeAllConnections();
      server.close();
    };
    client.write(`PUT / HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n${body}`);
    const [request] = (await once(server, 'request')) as [IncomingMessage];
    return { request, client };
  }

  function pieces(request: IncomingMessage, received: (bytes: number) => void = () => undefined) {
    return piecesOf(request, new Pace({ minRate: 0, stallMs: 60_000 }).start(), received);
  }

  it('comes whole and in order, and is counted', async () => {
    const bytes = seededBytes(5 * MiB + 3, 'body');
    const { request, client } = await begin(`Content-Length: ${bytes.length}`);
    client.write(bytes);
    let received = 0;
    const got: Uint8Array[] = [];
    for await (const piece of pieces(request, (count) => (received += count))) {
      got.push(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(Buffer.concat(got).equals(bytes)).to.equal(true);
    expect(received).to.equal(bytes.length);
    expect(request.complete).to.equal(true);
  });

  it('is whole, and is counted, where all of it came with the head', async () => {
    const { request } = await begin('Content-Length: 5', 'small');
    let received = 0;
    const all: string[] = [];
    for await (const piece of pieces(request, (count) => (received += count))) all.push(Buffer.from(piece).toString());
    expect(all).to.deep.equal(['small']);
    expect(received).to.equal(5);
  });

  it('gives the first bytes as they come, which may tell that the rest is not wanted', async () => {
    const { request, client } = await begin(`Content-Length: ${5 * MiB}`);
    client.write('some bytes');
    const body = pieces(request);
    const first = await body.next();
    expect(first.done === true ? undefined : Buffer.from(first.value).toString()).to.equal('some bytes');
    await body.return();
  });

  it('waits for a consumer that is slower than its client', async () => {
    const { request, client } = await begin(`Content-Length: ${64 * MiB}`);
    client.write(Buffer.alloc(64 * MiB));
    let received = 0;
    const body = pieces(request, (count) => (received += count));
    await body.next();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(received).to.be.lessThan(MiB);
    await body.return();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(received).to.be.lessThan(MiB);
    expect(request.destroyed).to.equal(false);
  });

  it('fails with canceled where the connection ends, also before anybody asks for it', async () => {
    for (const early of [true, false]) {
      const { request, client } = await begin('Content-Length: 1000');
      const gone = new Promise((resolve) => request.on('close', resolve));
      if (early) {
        client.destroy();
        await gone;
      }
      const body = pieces(request);
      const next = body.next();
      if (!early) client.destroy();
      expect(hasCode(await next.catch((error: unknown) => error), 'canceled')).to.equal(true);
      cleanUp?.();
    }
  });
});
