import { expect } from 'chai';
import { once } from 'node:events';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { tokenDigest } from '../../src/auth/tokens.js';
import type { AuditEntry } from '../../src/core/audit.js';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { eventually, expectFailure, listAll, putAll } from '../support/store.js';
import { emptyStore, tempFolder } from '../support/temp.js';
import { killProcesses, startProcess, type GatewayProcess } from './support/process.js';

describe('The program and its configuration file', function () {
  this.timeout(60_000);
  let folder: string;
  let file: string;
  let blue: string;
  let gateway: GatewayProcess;

  beforeEach(async () => {
    folder = await tempFolder();
    file = join(folder, 'gateway.yaml');
    blue = await emptyStore();
    await configure('ann');
    gateway = await startProcess(undefined, ['--config', file]);
  });

  afterEach(killProcesses);

  /** Writes a file in which one can log in; replaces the old one at one go. */
  async function configure(name: string, more = ''): Promise<void> {
    const text = `
listen: ['127.0.0.1:0']
grpc-listen: ['127.0.0.1:0']
stores:
  blue: { location: '${blue}' }
principals:
  ${name}: { tokens: ['sha256:${tokenDigest(`token-of-${name}`)}'], access: { blue: append } }
min-free-space: 0
audit-log: audit.log
${more}`;
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  const login = (name: string): { store: string; authorization: string } => ({
    store: 'blue',
    authorization: `Bearer token-of-${name}`,
  });

  const inForce = (): number => gateway.log.filter(({ msg }) => String(msg).includes('was reloaded')).length;
  const problems = (): string[] => gateway.log.filter(({ level }) => level === 50).map(({ msg }) => String(msg));

  it('reads it again at SIGHUP: a token that was taken out is refused at once, on connections that stay', async () => {
    const [http, grpc] = [
      new HttpStore(gateway.httpPort, login('ann')),
      new GrpcStore(gateway.grpcPort, login('ann')),
    ] as const;
    for (const client of [http, grpc]) expect(await listAll(client, 'state')).to.deep.equal([]);
    await configure('bob');
    gateway.signal('SIGHUP');
    await eventually(async () => inForce() === 1, 'it is in force');
    for (const client of [http, grpc]) {
      await expectFailure(listAll(client, 'state'), 'unauthenticated');
      await client.close();
    }
    const bob = new HttpStore(gateway.httpPort, login('bob'));
    await putAll(bob, newRef('state'), makeObject('state', 100));
    await bob.close();
  });

  it('stops in the middle of a reload, whatever that waits for', async function () {
    // A server that says nothing is waited for for 20 seconds.
    this.timeout(15_000);
    const server = createServer((socket) => socket.on('error', () => undefined));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const connected = once(server, 'connection');
    const silent = `sftp://127.0.0.1:${port}/store`;
    const text = await readFile(file, 'utf8');
    await writeFile(file, `${text.replace('stores:', `stores:\n  red: { location: '${silent}' }`)}ssh-config: none\n`);
    await connected;
    gateway.signal('SIGTERM');
    expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
    server.close();
  });

  it('reads it again when it changes, and reports one that is wrong while the old one stays in force', async () => {
    const ann = new HttpStore(gateway.httpPort, login('ann'));
    await configure('bob', 'max-requestz: 5\nidle-timeout: soon\n');
    await eventually(async () => problems().length >= 3, 'the problems are reported');
    expect(problems()[0]).to.match(
      /gateway\.yaml:\d+:\d+: .*max-requestz: unknown setting: did you mean max-requests\?/,
    );
    expect(problems()[1]).to.match(/gateway\.yaml:\d+:\d+: .*idle-timeout: must be a number of seconds/);
    expect(problems()[2]).to.equal('the configuration was not reloaded: the previous one stays active');
    expect(await listAll(ann, 'state')).to.deep.equal([]);
    await configure('bob');
    await eventually(async () => inForce() === 1, 'it is in force');
    await expectFailure(listAll(ann, 'state'), 'unauthenticated');
    await ann.close();
  });

  it('goes on in a new audit log at SIGHUP, and loses no line, however often that is', async () => {
    const audit = join(folder, 'audit.log');
    const clients = [
      new HttpStore(gateway.httpPort, login('ann')),
      new GrpcStore(gateway.grpcPort, login('ann')),
    ] as const;
    const written: string[] = [];
    let done = false;
    const load = clients.map(async (client) => {
      while (!done) {
        const ref = newRef('state');
        await putAll(client, ref, makeObject('state', 100));
        written.push(ref.mac);
      }
    });
    for (let i = 1; i <= 5; i++) {
      const before = written.length;
      await eventually(async () => written.length >= before + 20, 'some were written');
      await rename(audit, `${audit}.${i}`);
      gateway.signal('SIGHUP');
      await eventually(async () => inForce() === i, 'it is in force');
    }
    const after = written.length;
    await eventually(async () => written.length >= after + 20, 'some were written');
    done = true;
    await Promise.all(load);
    for (const client of clients) await client.close();
    gateway.signal('SIGTERM');
    expect((await gateway.exited).code).to.equal(0);

    const names = (await readdir(folder)).filter((name) => name.startsWith('audit.log'));
    expect(names).to.have.length(6);
    const entries: AuditEntry[] = [];
    for (const name of names) {
      const lines = (await readFile(join(folder, name), 'utf8')).split('\n');
      expect(lines.pop(), 'the last line is whole').to.equal('');
      expect(lines.length, name).to.be.greaterThan(0);
      entries.push(...lines.map((line) => JSON.parse(line) as AuditEntry));
    }
    expect(entries.map(({ mac }) => mac).sort()).to.deep.equal(written.sort());
    expect(problems()).to.deep.equal([]);
  });
});
