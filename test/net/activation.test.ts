import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { link } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { createServer, type ListenOptions, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ListenAddress } from '../../src/core/address.js';
import { ActivatedSockets, parseActivation } from '../../src/net/activation.js';
import { tempFolder } from '../support/temp.js';
import { enter } from './support/client.js';

describe('socket activation', () => {
  it('finds the descriptors of the environment', () => {
    const env = { LISTEN_PID: '77', LISTEN_FDS: '3', LISTEN_FDNAMES: 'http:grpc' };
    const found = parseActivation(env, 77);
    expect(found).to.deep.equal([
      { fd: 3, name: 'http' },
      { fd: 4, name: 'grpc' },
      { fd: 5, name: 'unknown' },
    ]);
    expect(parseActivation({ LISTEN_PID: '77', LISTEN_FDS: '1' }, 77)).to.deep.equal([{ fd: 3, name: 'unknown' }]);
  });

  it('finds none if they are for another process, or the number is invalid', () => {
    for (const env of [
      {},
      { LISTEN_FDS: '1' },
      { LISTEN_PID: '78', LISTEN_FDS: '1' },
      { LISTEN_PID: '77' },
      ...['0', '-1', '1x', '', '99999'].map((count) => ({ LISTEN_PID: '77', LISTEN_FDS: count })),
    ]) {
      expect(parseActivation(env, 77)).to.deep.equal([]);
    }
  });

  it('gives each socket to one listener, and tells which are unclaimed', () => {
    const [http, http6, grpc] = [
      { fd: 3, name: 'http' },
      { fd: 4, name: 'http' },
      { fd: 5, name: 'grpc' },
    ];
    const sockets = new ActivatedSockets([http, http6, grpc]);
    expect(() => sockets.take('')).to.throw('different names: choose one, as in systemd:http or systemd:grpc');
    expect(() => sockets.take('x')).to.throw('systemd passed no socket with this name, only: http, grpc');
    expect(sockets.take('http')).to.deep.equal([http, http6]);
    expect(() => sockets.take('http')).to.throw(
      'every such socket that systemd passed (http, grpc) is taken by another listener',
    );
    expect(sockets.unclaimed).to.deep.equal([grpc]);
    expect(sockets.take('')).to.deep.equal([grpc]);
    expect(() => sockets.take('')).to.throw('every such socket that systemd passed (http, grpc) is taken');
    expect(sockets.unclaimed).to.deep.equal([]);
    expect(() => new ActivatedSockets([]).take('')).to.throw('systemd passed no socket to this process');
  });

  describe('of a process', () => {
    let folder: string;

    before(async () => {
      folder = await tempFolder();
    });

    it('listens on the inherited sockets, and reports their addresses', async () => {
      const [path, kept] = ['x.sock', 'kept.sock'].map((name) => join(folder, name)) as [string, string];
      const [open, local, unix] = [
        await listening({ host: '0.0.0.0', port: 0 }),
        await listening({ host: '127.0.0.1', port: 0 }),
        await listening({ path }),
      ];
      const process = await startActivated({ names: 'open:local:unix', sockets: [open, local, unix] });
      expect(process.listeners).to.deep.equal([
        { addresses: [tcp(open)], localOnly: false },
        { addresses: [tcp(local)], localOnly: true },
        { addresses: [{ systemd: 'unix' }], localOnly: true },
      ]);
      // From now on only the other process accepts. Node removes the path on which it listened, but not this link.
      await link(path, kept);
      const target = tcp(local);
      for (const server of [open, local, unix]) server.close();
      for (const [options, address] of [
        [target, '127.0.0.1'],
        [{ path: kept }, 'unix socket'],
      ] as const) {
        const { socket, peer } = await enter(options);
        expect(peer.address).to.equal(address);
        socket.destroy();
      }
      await process.stop();
    });
  });

  function listening(options: ListenOptions): Promise<Server> {
    const server = createServer();
    return new Promise((resolve) => server.listen(options, () => resolve(server)));
  }

  function tcp(server: Server): { host: string; port: number } {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('not a TCP address');
    return { host: address.address, port: address.port };
  }

  /** Node has no public way to it. */
  function descriptorOf(server: Server): number {
    return (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
  }

  /** Starts a process as systemd does, with sockets from descriptor 3 on. It listens on all of them. */
  async function startActivated({ names, sockets }: { names: string; sockets: readonly Server[] }): Promise<{
    listeners: readonly { addresses: readonly ListenAddress[]; localOnly: boolean }[];
    stop(): Promise<unknown>;
  }> {
    const program = fileURLToPath(new URL('support/activated.ts', import.meta.url));
    const child = spawn('sh', ['-c', `LISTEN_PID=$$ exec "$0" --import tsx "$@"`, process.execPath, program], {
      env: { ...process.env, LISTEN_FDS: String(sockets.length), LISTEN_FDNAMES: names },
      stdio: ['pipe', 'pipe', 'inherit', ...sockets.map(descriptorOf)],
    });
    const exit = once(child, 'exit');
    if (child.stdout === null || child.stdin === null) throw new Error('no pipes');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const { stdin } = child;
    return {
      listeners: JSON.parse(line) as [],
      stop: () => {
        stdin.end();
        return exit;
      },
    };
  }
});
