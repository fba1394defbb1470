import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { TlsCredentials } from '../../src/net/tls-credentials.js';
import { listenOnUnixSocket } from '../../src/net/unix-socket.js';
import { makeCertificate } from '../support/certificate.js';
import { tempFolder } from '../support/temp.js';
import { enter, enterTls } from './support/client.js';
import { startListener, type TestListener } from './support/listening.js';

describe('a listener on a unix socket', () => {
  const listeners: TestListener[] = [];

  async function start(...args: Parameters<typeof startListener>): Promise<TestListener> {
    const listener = await startListener(...args);
    listeners.push(listener);
    return listener;
  }

  afterEach(async () => {
    for (const each of listeners.splice(0)) await each.close();
  });

  const newPath = async (): Promise<string> => join(await tempFolder(), 'gateway.sock');

  async function problemOf(...args: Parameters<typeof startListener>): Promise<string> {
    const error: unknown = await start(...args).catch((caught: unknown) => caught);
    expect(error).to.be.an('error');
    return (error as Error).message;
  }

  it('is only for its owner by default', async () => {
    const self = { user: process.getuid?.() ?? 0, group: process.getgid?.() ?? 0 };
    const group = String(self.group);
    const cases = [
      [{}, 0o600],
      [{ owner: { user: undefined, group } }, 0o660],
      [{ owner: { user: undefined, group }, mode: 0o606 }, 0o606],
      [{ mode: 0o666 }, 0o666],
    ] as const;
    for (const [config, mode] of cases) {
      const path = await newPath();
      await start({ address: { path }, ...config });
      const { mode: found, uid, gid } = await stat(path);
      expect({ mode: found & 0o777, uid, gid }).to.deep.equal({ mode, uid: self.user, gid: self.group });
    }
  });

  it('belongs to the configured owner', async () => {
    // Only root can give something away.
    const other = process.getuid?.() === 0 ? [4321, 8765] : [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    const [user, group] = other.map(String);
    const path = await newPath();
    await start({ address: { path }, owner: { user, group } });
    const { uid, gid } = await stat(path);
    expect([uid, gid]).to.deep.equal(other);
  });

  it('reports its peers as such, with and without TLS', async () => {
    const { certFile, keyFile } = await makeCertificate();
    const config = { cert: certFile, key: keyFile, clientCa: undefined, clientCertRequired: false };
    const [plain, tls] = [await newPath(), await newPath()];
    await start({ name: 'plain', address: { path: plain } });
    const { listener } = await start(
      { name: 'tls', address: { path: tls } },
      { tls: await TlsCredentials.load(config) },
    );
    expect(listener.addresses).to.deep.equal([{ path: tls }]);
    expect(listener.localOnly).to.equal(true);
    const seen = [await enter({ path: plain }), await enterTls({ path: tls })];
    expect(seen.map(({ peer }) => peer)).to.deep.equal([
      { listener: 'plain', address: 'unix socket' },
      { listener: 'tls', address: 'unix socket' },
    ]);
    for (const { socket } of seen) socket.destroy();
  });

  it("can't be reached until it is ready, whatever the umask", async () => {
    const path = await newPath();
    const server = createServer();
    let seen: unknown;
    server.once('listening', () => {
      const bound = server.address() as string;
      seen = {
        ready: existsSync(path),
        folder: statSync(dirname(bound)).mode & 0o777,
        socket: statSync(bound).mode & 0o777,
      };
    });
    const umask = process.umask(0);
    const remove = await listenOnUnixSocket(server, { path, mode: undefined, owner: undefined });
    process.umask(umask);
    expect(seen).to.deep.equal({ ready: false, folder: 0o700, socket: 0o777 });
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect(await readdir(dirname(path))).to.deep.equal(['gateway.sock']);
    server.close();
    await remove();
  });

  it('is removed at the end, unless it has been replaced', async () => {
    const path = await newPath();
    const first = await start({ address: { path } });
    await first.listener.close();
    expect(await readdir(dirname(path))).to.deep.equal([]);

    const second = await start({ address: { path } });
    await unlink(path);
    const third = await start({ address: { path } });
    await second.listener.close();
    (await enter({ path })).socket.destroy();
    await third.listener.close();
    expect(existsSync(path)).to.equal(false);
  });

  it('replaces the socket of a killed process, and nothing else', async () => {
    const stale = await newPath();
    const script = `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(existsSync(stale)).to.equal(true);
    await start({ address: { path: stale } });
    (await enter({ path: stale })).socket.destroy();

    const [file, live, link] = [await newPath(), await newPath(), await newPath()];
    await writeFile(file, 'precious');
    await start({ address: { path: live } });
    await symlink('/nonexistent', link);
    for (const path of [file, live, link]) {
      expect(await problemOf({ address: { path } })).to.equal(
        `can't listen on unix:${path}: another process is listening there, or it is not a socket: remove it`,
      );
      expect(await readdir(dirname(path))).to.deep.equal(['gateway.sock']);
    }
    (await enter({ path: live })).socket.destroy();
  });

  it('fails with the reason', async () => {
    const folder = await tempFolder();
    const missing = join(folder, 'missing', 'x.sock');
    expect(await problemOf({ address: { path: missing } })).to.equal(
      `can't listen on unix:${missing}: the folder ${dirname(missing)} does not exist`,
    );
    const long = join(folder, 'x'.repeat(100));
    expect(await problemOf({ address: { path: long } })).to.include('its path is too long for a unix socket');
    expect(await readdir(folder)).to.deep.equal([]);

    const path = join(folder, 'x.sock');
    const owner = { user: 'no-such-user', group: undefined };
    expect(await problemOf({ address: { path }, owner })).to.equal(
      `can't listen on unix:${path}: there is no user no-such-user in /etc/passwd: a name in a directory service must be given by number`,
    );
    await mkdir(path);
    const server = createServer();
    const error: unknown = await listenOnUnixSocket(server, { path, mode: undefined, owner: undefined }).catch(
      (caught: unknown) => caught,
    );
    expect(error).to.be.an('error').with.property('message').that.includes('it is not a socket');
    expect(server.listening).to.equal(false);
  });
});
