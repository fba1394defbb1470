import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { readFileSync } from 'node:fs';
import { connect as netConnect, type AddressInfo } from 'node:net';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { StoreService } from '../../gen/plakar/store.js';
import { makeCertificate } from '../support/certificate.js';
import { startTestGateway } from '../support/gateway.js';
import { hasSshd, Sshd } from '../support/sshd.js';
import { program } from '../support/program.js';
import { eventually } from '../support/store.js';
import { emptyStore } from '../support/temp.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

type Plugin = ChildProcessByStdio<Writable, Readable, Readable>;

/** What plakar may do with the pipes when it is done, or killed. */
const endings: Record<string, (plugin: Plugin) => void> = {
  'closes its stdin': ({ stdin }) => stdin.end(),
  'closes both pipes at once': ({ stdin, stdout }) => {
    stdin.destroy();
    stdout.destroy();
  },
};

describe('the plugin', function () {
  this.timeout(30_000);

  for (const [what, end] of Object.entries(endings)) {
    it(`answers on its pipes, and ends without a word when plakar ${what}`, async () => {
      const plugin = spawn(process.execPath, [...program, 'plugin'], {
        cwd: root,
        stdio: 'pipe',
      });
      let words = '';
      plugin.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()));
      plugin.stdin.on('error', () => undefined);
      const exited = once(plugin, 'exit');
      expect(await init(plugin, { location: await emptyStore() })).to.equal('0');
      end(plugin);
      expect(await exited).to.deep.equal([0, null]);
      expect(words).to.equal('');
    });
  }

  it("opens a store on an SSH server, by the options of plakar's own SFTP connector", async function () {
    if (!hasSshd()) this.skip();
    const sshd = await Sshd.start();
    const options = {
      location: 'sftp://nobody@127.0.0.1/nowhere',
      username: sshd.user,
      port: String(sshd.port),
      root: await emptyStore(),
      insecure_ignore_host_key: 'true',
    };
    const plugin = spawn(process.execPath, [...program, 'plugin'], { cwd: root, stdio: 'pipe' });
    plugin.stderr.resume();
    expect(await init(plugin, { ...options, identity: `${sshd.folder}/identity` })).to.equal('0');
    plugin.stdin.end();
    await once(plugin, 'exit');
    await sshd.stop();
  });

  it('reaches a gateway behind TLS with the authority and the token of its options', async () => {
    const gateway = await startTestGateway(await emptyStore());
    const certificate = await makeCertificate();
    // What a proxy in front of the gateway does.
    const proxy = createServer({ ...certificate, ALPNProtocols: ['h2'] }, (socket) => {
      const behind = netConnect(gateway.grpcPort, '127.0.0.1');
      for (const each of [socket, behind]) each.on('error', () => undefined);
      socket.pipe(behind).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    const options = { location: `grpcs://localhost:${port}`, auth_token: 'a token' };
    for (const [more, state] of [
      [{ tls_ca: certificate.certFile }, '0'],
      [{}, String(status.INVALID_ARGUMENT)],
    ] as const) {
      const plugin = spawn(process.execPath, [...program, 'plugin'], {
        cwd: root,
        stdio: 'pipe',
      });
      plugin.stderr.resume();
      expect(await init(plugin, { ...options, ...more })).to.equal(state);
      plugin.stdin.end();
      await once(plugin, 'exit');
    }
    proxy.close();
    await gateway.close();
  });

  it('is packaged with a script that starts it', () => {
    const manifest = readFileSync(`${root}/plugin/manifest.yaml`, 'utf8');
    const [, executable = ''] = /executable: (\S+)/.exec(manifest) ?? [];
    expect(manifest).to.include('protocols: [grpc, grpcs]');
    expect(readFileSync(`${root}/plugin/${executable}`, 'utf8')).to.match(
      /^#!\/bin\/sh\n(#.*\n)*exec kloset-gateway plugin\n$/,
    );
  });
});

/** Calls Init over the plugin's pipes. Resolves to its gRPC status. */
async function init(plugin: Plugin, config: Record<string, string>): Promise<string | undefined> {
  const pipes = Duplex.from({ readable: plugin.stdout, writable: plugin.stdin });
  pipes.on('error', () => undefined);
  const session = connect('http://plugin', { createConnection: () => pipes });
  session.on('error', () => undefined);
  const call = session.request({
    ':method': 'POST',
    ':path': StoreService.init.path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const message = StoreService.init.requestSerialize({ proto: 'fs', config });
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  let state: string | undefined;
  call.on('trailers', (trailers) => (state = String(trailers['grpc-status'])));
  call.on('response', (headers) => (state ??= headers['grpc-status'] as string | undefined));
  call.end(Buffer.concat([prefix, message]));
  call.resume();
  return eventually(async () => state, 'an answer', 15_000);
}
