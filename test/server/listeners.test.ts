import { expect } from 'chai';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Listeners } from '../../src/server/listeners.js';
import { ActivatedSockets } from '../../src/net/activation.js';
import { ConnectionCount } from '../../src/net/connection-acceptor.js';
import { silent, testConfig } from '../support/gateway.js';

type Addresses = string | { name?: string; address: string; 'max-access'?: 'append' };

describe('Listeners', () => {
  let listeners: Listeners;
  let accepted: Socket[];

  beforeEach(() => {
    accepted = [];
    listeners = new Listeners(() => ({
      tls: undefined,
      handshakeTimeoutMs: 1000,
      connections: new ConnectionCount(100),
      activated: new ActivatedSockets([]),
      accept: (socket) => accepted.push(socket),
      log: silent,
    }));
  });

  afterEach(async () => {
    await listeners.close();
    for (const socket of accepted) socket.destroy();
  });

  const change = (listen: Addresses[], check: Parameters<Listeners['change']>[1] = () => undefined): Promise<void> =>
    listeners.change(testConfig({ location: '/x', listen, 'grpc-listen': 'off' }), check);

  /** By name. */
  const ports = (): Record<string, number> =>
    Object.fromEntries(
      listeners.current.map(({ config, addresses: [address] }) => [
        config.name,
        address !== undefined && 'port' in address ? address.port : NaN,
      ]),
    );

  /** Resolves to `open`, or to the code of the error. */
  async function probe(port: number | undefined): Promise<string> {
    const socket = connect({ port: port ?? NaN, host: '127.0.0.1' });
    try {
      await once(socket, 'connect');
      return 'open';
    } catch (error) {
      return String((error as NodeJS.ErrnoException).code);
    } finally {
      socket.destroy();
    }
  }

  async function freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    return typeof address === 'object' && address !== null ? address.port : NaN;
  }

  const a = { name: 'a', address: '127.0.0.1:0' };
  const b = { name: 'b', address: '127.0.0.1:0' };
  const c = { name: 'c', address: '127.0.0.1:0' };

  it("keep what doesn't change, open what is added, and close what is removed", async () => {
    await change([a, b]);
    const before = ports();
    const connection = connect({ port: before['b'] ?? NaN, host: '127.0.0.1' });
    await once(connection, 'connect');
    await change([{ ...a, 'max-access': 'append' }, c]);
    const after = ports();
    expect(Object.keys(after)).to.have.members(['a', 'c']);
    expect(after['a']).to.equal(before['a']);
    expect(await probe(after['a'])).to.equal('open');
    expect(await probe(after['c'])).to.equal('open');
    expect(await probe(before['b'])).to.equal('ECONNREFUSED');
    // Open connections stay open.
    expect(connection.destroyed || connection.readableEnded).to.equal(false);
    connection.destroy();
  });

  it("stay as they are if one can't be opened", async () => {
    await change([a]);
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const before = ports();
    const error: unknown = await change([b, c, `127.0.0.1:${port}`]).catch((thrown: unknown) => thrown);
    expect(String(error)).to.include(`can't listen on 127.0.0.1:${port}: `);
    expect(ports()).to.deep.equal(before);
    expect(await probe(before['a'])).to.equal('open');
    taken.close();
  });

  it('stay as they are if the new ones are rejected, even those that were closed for them', async () => {
    const port = await freePort();
    await change([{ name: 'old', address: `127.0.0.1:${port}` }]);
    const seen: string[] = [];
    const error: unknown = await change([{ name: 'new', address: `127.0.0.1:${port}` }, b], (all) => {
      seen.push(...all.map(({ config }) => config.name));
      throw new Error('not these');
    }).catch((thrown: unknown) => thrown);
    expect(String(error)).to.equal('Error: not these');
    expect(seen).to.have.members(['new', 'b']);
    expect(ports()).to.deep.equal({ old: port });
    expect(await probe(port)).to.equal('open');
  });

  for (const [from, to] of [
    ['127.0.0.1', '127.0.0.1'],
    ['localhost', ''],
    ['', '127.0.0.1'],
  ] as const) {
    it(`change from ${from || 'every address'} to ${to || 'every address'} with one port`, async () => {
      const port = await freePort();
      await change([{ name: 'old', address: `${from}:${port}` }]);
      await change([{ name: 'new', address: `${to}:${port}` }]);
      expect(ports()).to.deep.equal({ new: port });
      expect(await probe(port)).to.equal('open');
    });
  }
});
