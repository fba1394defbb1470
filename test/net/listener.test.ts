import { expect } from 'chai';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { ConnectionCount } from '../../src/net/connection-acceptor.js';
import { ActivatedSockets } from '../../src/net/activation.js';
import { ConnectionAcceptor } from '../../src/net/connection-acceptor.js';
import { closed, echoes, enter } from './support/client.js';
import { startListener, type TestListener } from './support/listening.js';

describe('a listener', () => {
  const listeners: TestListener[] = [];

  async function start(...args: Parameters<typeof startListener>): Promise<TestListener> {
    const listener = await startListener(...args);
    listeners.push(listener);
    return listener;
  }

  afterEach(async () => {
    for (const each of listeners.splice(0)) await each.close();
  });

  it('hands over connections with their peer', async () => {
    const { port, accepted } = await start({ name: 'office' });
    const { socket, peer } = await enter({ host: '127.0.0.1', port });
    expect(peer).to.deep.equal({ listener: 'office', address: '127.0.0.1' });
    expect(await echoes(socket)).to.equal(true);
    expect(accepted).to.have.length(1);
    socket.destroy();
  });

  it('listens on every loopback address for localhost, with one port', async () => {
    const started = await start({ address: { host: 'localhost', port: 0 } });
    const all = ['127.0.0.1', ...(hasIpv6() ? ['::1'] : [])];
    expect(started.listener.addresses).to.deep.equal(all.map((host) => ({ host, port: started.port })));
    expect(started.port).to.be.greaterThan(0);
    expect(started.listener.localOnly).to.equal(true);
    for (const host of all) {
      const { socket, peer } = await enter({ host, port: started.port });
      expect(peer).to.deep.equal({ listener: 'localhost:0', address: host });
      socket.destroy();
    }
  });

  it('listens on every address of the machine without a host, and reports IPv4 addresses as such', async () => {
    const { listener, port } = await start({ address: { host: '', port: 0 } });
    expect(listener.localOnly).to.equal(false);
    for (const host of ['127.0.0.1', '127.0.0.2']) {
      const { socket, peer } = await enter({ host, localAddress: '127.0.0.3', port });
      expect(peer).to.deep.equal({ listener: ':0', address: '127.0.0.3' });
      socket.destroy();
    }
  });

  it('tells from its socket who can reach it', async () => {
    for (const [host, local] of [
      ['127.9.9.9', true],
      ['0.0.0.0', false],
    ] as const) {
      expect((await start({ address: { host, port: 0 } })).listener.localOnly, host).to.equal(local);
    }
  });

  it("reports an address where it can't listen, and leaves nothing open", async () => {
    const hosts = hasIpv6() ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
    const last = hosts.at(-1) ?? '';
    const { port, listener } = await start({ address: { host: last, port: 0 } });
    const address = { host: 'localhost', port };
    const error: unknown = await start({ address }).catch((caught: unknown) => caught);
    expect(error)
      .to.be.an('error')
      .with.property('message')
      .that.matches(/^can't listen on localhost:\d+: another program has this port/);
    await listener.close();
    for (const host of hosts) expect((await start({ address: { host, port } })).port).to.equal(port);
  });

  it('stops listening without ending what it accepted', async () => {
    const { listener, port } = await start();
    const { socket } = await enter({ host: '127.0.0.1', port });
    await listener.close();
    expect(await echoes(socket)).to.equal(true);
    socket.destroy();
    const error: unknown = await enter({ host: '127.0.0.1', port }).catch((caught: unknown) => caught);
    expect(error).to.have.property('code', 'ECONNREFUSED');
  });

  it('refuses connections over the limit of all listeners, with one warning a minute', async () => {
    const connections = new ConnectionCount(2);
    const [one, two] = [await start({}, { connections }), await start({}, { connections })];
    const first = await enter({ host: '127.0.0.1', port: one.port });
    const second = await enter({ host: '127.0.0.1', port: two.port });
    for (const { port } of [one, two, one, two]) {
      const socket = connect(port, '127.0.0.1').resume();
      await closed(socket);
      expect(socket.bytesRead).to.equal(0);
    }
    expect([one, two].map(({ warnings }) => warnings)).to.deep.equal(
      Array(2).fill(['listener 127.0.0.1:0: refused a connection: the limit of 2 connections is reached']),
    );
    expect(connections.current).to.equal(2);

    const gone = once(two.accepted[0] as Socket, 'close');
    second.socket.destroy();
    await gone;
    const third = await enter({ host: '127.0.0.1', port: one.port });
    connections.max = 3;
    const fourth = await enter({ host: '127.0.0.1', port: one.port });
    for (const { socket } of [first, third, fourth]) socket.destroy();
  });

  it('survives connections that are reset', async () => {
    const { port } = await start();
    for (let i = 0; i < 20; i++) {
      const socket = connect(port, '127.0.0.1', () => socket.resetAndDestroy());
      await closed(socket);
    }
    const { socket } = await enter({ host: '127.0.0.1', port });
    expect(await echoes(socket)).to.equal(true);
    socket.destroy();
  });

  it("survives a connection that can't be served, and one that can't be accepted", async () => {
    const failing = (): never => {
      throw new Error('out of order');
    };
    const { port, warnings } = await start({}, { accept: failing });
    await closed(connect(port, '127.0.0.1').resume());
    expect(warnings).to.deep.equal(["listener 127.0.0.1:0: can't serve a connection: out of order"]);

    const told: string[] = [];
    const acceptor = new ConnectionAcceptor(
      { ...(await start()).listener.config, name: 'office' },
      {
        tls: undefined,
        handshakeTimeoutMs: 1,
        connections: new ConnectionCount(1),
        activated: new ActivatedSockets([]),
        accept: failing,
        log: { info: () => undefined, error: () => undefined, warn: (_fields, message) => told.push(message) },
      },
    );
    const server = acceptor.makeServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    server.emit('error', new Error('accept EMFILE'));
    server.close();
    expect(told).to.deep.equal(["listener office: can't accept a connection: accept EMFILE"]);
  });

  it('lets a client without TLS end its side of the connection and wait for the response', async () => {
    const answerLater = (socket: Socket): void => {
      socket.resume().once('end', () => setImmediate(() => socket.end('answer')));
    };
    const { port } = await start({}, { accept: answerLater });
    const socket = connect(port, '127.0.0.1', () => socket.end('question'));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).to.equal('answer');
  });

  it('probes idle connections', async () => {
    const { port } = await start();
    const { socket } = await enter({ host: '127.0.0.1', port });
    const localPort = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    const connections = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/));
    // proc_net_tcp.txt of the kernel: state 01 is an established connection, timer 02 that of keepalive probes.
    const own = connections.filter(([, local, , state]) => local?.endsWith(localPort) && state === '01');
    expect(own.map(([, , , , , timer]) => timer?.slice(0, 3))).to.deep.equal(['02:']);
    socket.destroy();
  });
});

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'));
}
