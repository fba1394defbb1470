import { hashSync } from 'bcryptjs';
import { expect } from 'chai';
import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { helpText } from '../../src/cli/help.js';
import { version } from '../../src/lib/package-info.js';
import { MailServer } from '../notify/support/mail-server.js';
import { makeCertificate } from '../support/certificate.js';
import { startTestGateway } from '../support/gateway.js';
import { askReflection } from '../support/reflection.js';
import { S3Server } from '../support/s3-server.js';
import { hasGo } from '../support/s3-programs.js';
import { hasSshd, Sshd } from '../support/sshd.js';
import { emptyStore, tempFolder } from '../support/temp.js';
import { eventually } from '../support/store.js';
import { builtBinary, canRunBinary } from './support/binary.js';

const sample = fileURLToPath(new URL('../../sample/store', import.meta.url));

describe('the single executable', function () {
  this.timeout(60_000);
  let binary: string;
  /** A folder where there is nothing else. */
  let folder: string;
  const running = new Set<Gateway>();

  before(async function () {
    this.timeout(600_000);
    if (!canRunBinary) return this.skip();
    binary = await builtBinary();
  });

  beforeEach(async () => {
    folder = await tempFolder();
  });

  afterEach(async () => {
    for (const each of running) await each.stop();
    running.clear();
  });

  /** There is no Node that it could find, and no other program. */
  function surroundings(env: Readonly<Record<string, string>>) {
    return { cwd: folder, env: { PATH: '', HOME: folder, TMPDIR: folder, ...env } };
  }

  /** Runs a command to its end. */
  async function run(args: readonly string[], env = {}): Promise<{ code: number; stdout: string; stderr: string }> {
    return new Promise((resolve) => {
      execFile(binary, args, surroundings(env), (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? NaN), stdout, stderr }),
      );
    });
  }

  /** Starts to serve. Resolves when it does. */
  async function serve(args: readonly string[], env = {}): Promise<Gateway> {
    const listening = ['--listen', '127.0.0.1:0', '--grpc-listen', '127.0.0.1:0'];
    const gateway = new Gateway(
      spawn(binary, ['serve', ...args, ...listening], { ...surroundings(env), stdio: ['ignore', 'ignore', 'pipe'] }),
    );
    running.add(gateway);
    await gateway.line('grpc');
    return gateway;
  }

  it('prints its version, and the help', async () => {
    expect(await run(['--version'])).to.deep.equal({ code: 0, stdout: `kloset-gateway ${version}\n`, stderr: '' });
    expect(await run(['serve', '--help'])).to.deep.equal({ code: 0, stdout: helpText('serve'), stderr: '' });
  });

  it('serves a copy of the sample, and removes it when SIGTERM ends it', async () => {
    const gateway = await serve(['--sample']);
    const location = String((await gateway.line('location'))['location']);
    expect(await gateway.states()).to.have.length(2);
    const files = (path: string): string[] => readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
    expect(files(location)).to.include.members(files(sample));
    expect(dirname(dirname(location))).to.equal(folder);
    expect(await gateway.stop()).to.deep.equal([0, null]);
    expect(existsSync(location)).to.equal(false);
  });

  it('answers reflection as the package does', async () => {
    const gateway = await serve(['--sample']);
    const packaged = await startTestGateway(await emptyStore());
    const services = ['kloset.store.v1.StoreService', 'store.Store', 'grpc.health.v1.Health'];
    for (const request of [{ listServices: '*' }, ...services.map((name) => ({ fileContainingSymbol: name }))]) {
      const answer = await askReflection(await gateway.grpcPort(), request);
      expect(answer).to.deep.equal(await askReflection(packaged.grpcPort, request));
      expect(Object.keys(answer)).to.have.length(1);
    }
    await packaged.close();
  });

  it('has the threads and the flag that the launcher starts Node with', async () => {
    const launcher = readFileSync(fileURLToPath(new URL('../../bin/kloset-gateway', import.meta.url)), 'utf8');
    const [, threads] = /UV_THREADPOOL_SIZE:-(\d+)/.exec(launcher) ?? [];
    const [, flag] = /exec node (--\S+) /.exec(launcher) ?? [];
    const preload = join(folder, 'preload.cjs');
    await writeFile(preload, 'process.stdout.write(JSON.stringify(process.execArgv))');
    const { stdout } = await run(['--version'], { NODE_OPTIONS: `--require=${preload}` });
    expect(stdout)
      .to.match(/^\[.*\]kloset-gateway/)
      .and.to.include(JSON.stringify([flag]));
    const { pid } = await serve(['--sample']);
    expect(readdirSync(`/proc/${pid}/task`).length).to.be.greaterThan(Number(threads));
  });

  it('serves with several processes, and replaces one that is killed', async () => {
    const gateway = await serve(['--sample', '--workers', '2', '--log-format', 'json']);
    const [, second = NaN] = await eventually(async () => {
      const all = gateway.children();
      return all.length === 2 && all;
    }, 'there are two workers');
    process.kill(second, 'SIGKILL');
    await gateway.line('pid');
    expect(gateway.children()).to.have.length(2).and.not.to.include(second);
    expect(await gateway.states()).to.have.length(2);
    expect(await gateway.stop()).to.deep.equal([0, null]);
  });

  it('checks a configuration, and shows it', async () => {
    const config = join(folder, 'config.yaml');
    await writeFile(config, `location: ${sample}\n`);
    const checked = await run(['check-config', '--config', config]);
    expect(checked).to.include({ code: 0, stderr: '' });
    expect(checked.stdout).to.include(sample);
    await writeFile(config, 'locations: /srv\n');
    expect(await run(['check-config', '--config', config])).to.include({ code: 2 });
  });

  it('checks passwords with bcrypt', async () => {
    const config = join(folder, 'config.yaml');
    await writeFile(join(folder, 'htpasswd'), `web-1:${hashSync('secret', 4)}\n`);
    await writeFile(
      config,
      `{ location: ${sample}, htpasswd: htpasswd, principals: { web-1: { access: { '': read-only } } } }`,
    );
    const gateway = await serve(['--config', config]);
    expect(await gateway.status('web-1:secret')).to.equal(200);
    expect(await gateway.status('web-1:wrong')).to.equal(401);
  });

  it('logs for people, too', async () => {
    const child = spawn(binary, ['serve', '--sample', '--listen', '127.0.0.1:0', '--log-format', 'text'], {
      ...surroundings({}),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [text] = (await once(child.stderr, 'data')) as [Buffer];
    expect(text.toString()).to.match(/^\[\d{4}-\d\d-\d\d .*\] INFO: serving /);
    child.kill();
    await once(child, 'exit');
  });

  it('copies the sample into a folder, and finds it whole', async () => {
    const copy = join(folder, 'copy');
    expect(await run(['copy', sample, copy, '--create'])).to.include({ code: 0, stderr: '' });
    expect(await run(['verify', copy])).to.include({ code: 0 });
    expect(await run(['info', copy])).to.include({ code: 0, stderr: '' });
  });

  it('copies a store into a bucket, and serves it from there', async function () {
    if (!hasGo()) return this.skip();
    this.timeout(300_000);
    const server = await S3Server.start();
    const location = server.location('copy');
    expect(await run(['copy', sample, location, '--create', '--no-s3-tls'], server.env)).to.include({
      code: 0,
      stderr: '',
    });
    const gateway = await serve([location, '--no-s3-tls'], server.env);
    expect(await gateway.states()).to.have.length(2);
    await gateway.stop();
    await server.stop();
  });

  it('serves a store behind SSH', async function () {
    if (!hasSshd()) return this.skip();
    const sshd = await Sshd.start();
    const store = join(folder, 'store');
    cpSync(sample, store, { recursive: true });
    const keys = ['--ssh-identity', `${sshd.folder}/identity`, '--ssh-known-hosts', `${sshd.folder}/known_hosts`];
    const location = `sftp://${sshd.user}@127.0.0.1:${sshd.port}${store}`;
    const gateway = await serve([location, ...keys, '--ssh-config', 'none']);
    expect(await gateway.states()).to.have.length(2);
    await gateway.stop();
    await sshd.stop();
  });

  it('sends mails', async () => {
    const mails = await MailServer.start(await makeCertificate());
    const config = join(folder, 'config.yaml');
    const mail = { server: `smtp://127.0.0.1:${mails.port}`, from: 'gateway@example.org', to: 'ops@example.org' };
    await writeFile(config, JSON.stringify({ location: sample, notify: { mail } }));
    expect(await run(['notify', 'test', '--config', config])).to.include({ code: 0 });
    expect(mails.taken.map(({ to }) => to)).to.deep.equal([['ops@example.org']]);
    await mails.close();
  });

  it("is plakar's plugin, which ends with its input", async () => {
    const child = spawn(binary, ['plugin'], { ...surroundings({}), stdio: ['pipe', 'pipe', 'pipe'] });
    let words = '';
    child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()));
    // The server speaks first: HTTP/2's settings.
    await once(child.stdout, 'data');
    child.stdin.end();
    expect(await once(child, 'exit')).to.deep.equal([0, null]);
    expect(words).to.equal('');
  });
});

/** The executable, serving. */
class Gateway {
  private text = '';

  constructor(private readonly child: ChildProcessByStdio<null, null, Readable>) {
    child.stderr.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
  }

  get pid(): number {
    return this.child.pid ?? NaN;
  }

  /** The first line of its log with a field of this name. */
  async line(name: string): Promise<Record<string, unknown>> {
    const found = (): Record<string, unknown> | undefined =>
      this.text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .find((line) => name in line);
    while (found() === undefined) {
      if (this.child.exitCode !== null) throw new Error(`it has ended: ${this.text}`);
      await Promise.race([once(this.child.stderr, 'data'), once(this.child, 'close')]);
    }
    return found() ?? {};
  }

  async grpcPort(): Promise<number> {
    return Number(String((await this.line('grpc'))['grpc']).split(':')[1]);
  }

  async states(): Promise<unknown> {
    return (await this.request()).json();
  }

  /** What a request with a login is answered. */
  async status(login: string): Promise<number> {
    return (await this.request({ authorization: `Basic ${Buffer.from(login).toString('base64')}` })).status;
  }

  /** The worker processes. */
  children(): number[] {
    const all = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
    return all.split(' ').filter(Boolean).map(Number);
  }

  /** Ends it by SIGTERM. Resolves to its code and signal. */
  async stop(): Promise<unknown> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    return [child.exitCode, child.signalCode];
  }

  private async request(headers = {}): Promise<Response> {
    return fetch(`http://${String((await this.line('http'))['http'])}/resources/states`, { headers });
  }
}
