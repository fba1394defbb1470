import { expect } from 'chai';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { helpText } from '../../src/cli/help.js';
import { program } from '../support/program.js';
import { eventually } from '../support/store.js';
import { tempFolder } from '../support/temp.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('the program', () => {
  /** Accepts connections and sends nothing. */
  let server: Server;
  let port: number;

  before(async () => {
    server = createServer((socket) => socket.on('error', () => undefined));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    port = (server.address() as AddressInfo).port;
  });

  after(() => server.close());

  it('prints its version', () => {
    const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };
    expect(run('--version')).to.deep.equal({ status: 0, stdout: `kloset-gateway ${version}\n`, stderr: '' });
  });

  it("replaces its launcher's process, also through a link, with a small young generation", async () => {
    const link = join(await tempFolder(), 'kloset-gateway');
    symlinkSync(`${root}/bin/kloset-gateway`, link);
    const launched = spawn(link, ['serve', '--sample', '--listen', '127.0.0.1:0', '--grpc-listen', 'off']);
    try {
      await once(launched.stderr, 'data');
      const [node = '', ...args] = readFileSync(`/proc/${launched.pid}/cmdline`, 'utf8').split('\0');
      expect(node).to.match(/node$/);
      expect(args.slice(0, 3).map((arg) => basename(arg))).to.deep.equal([
        '--max-semi-space-size=4',
        'main.js',
        'serve',
      ]);
    } finally {
      launched.kill();
      expect(await once(launched, 'exit')).to.deep.equal([0, null]);
    }
  });

  it('is told to be built first by its launcher, where it is not', async () => {
    const folder = await tempFolder();
    mkdirSync(join(folder, 'bin'));
    copyFileSync(`${root}/bin/kloset-gateway`, join(folder, 'bin/kloset-gateway'));
    const { status, stderr } = spawnSync(join(folder, 'bin/kloset-gateway'), ['serve'], { encoding: 'utf8' });
    expect(status).to.equal(1);
    expect(stderr).to.equal(`kloset-gateway: not built yet: run \`npm ci\` or \`npm run build\` in ${folder}\n`);
  });

  it('prints its help', () => {
    expect(run('--help')).to.deep.equal({ status: 0, stdout: helpText(), stderr: '' });
    for (const args of [
      ['serve', '--help'],
      ['help', 'serve'],
    ])
      expect(run(...args).stdout).to.equal(helpText('serve'));
  });

  it("reports in one line that its output can't be written, and exits 1", () => {
    const full = openSync('/dev/full', 'w');
    for (const args of [['--help'], ['--version'], ['token', 'create', 'web-1']]) {
      const { status, stderr } = spawnSync(process.execPath, [...program, ...args], {
        cwd: root,
        encoding: 'utf8',
        stdio: ['ignore', full, 'pipe'],
      });
      expect(status, stderr).to.equal(1);
      expect(stderr).to.match(/^kloset-gateway: the output can't be written and is lost: .*ENOSPC.*$/m);
      expect(stderr).to.not.include('node:');
    }
    closeSync(full);
  });

  it('refuses wrong usage with all problems at once, and exits 2', () => {
    const { status, stdout, stderr } = run('serve', '--foo', '--log-level', 'loud', '-listen', ':1', '-allow-delete');
    expect(status).to.equal(2);
    expect(stdout).to.equal('');
    expect(stderr.split('\n')).to.have.length(5);
    for (const part of ['"--foo"', '--log-level loud', '--no-auth', 'Try kloset-gateway serve --help'])
      expect(stderr).to.include(part);
  });

  it("reports what is missing in a folder that isn't a store, and exits 1", async () => {
    const folder = await tempFolder();
    const { status, stderr } = run('serve', folder, '--listen', '127.0.0.1:0', '--grpc-listen', 'off');
    expect(status).to.equal(1);
    expect(stderr).to.equal(
      `kloset-gateway: ${folder} is not a Kloset store: there is no file ${folder}/CONFIG. ` +
        `Name a store's folder, or make one there: a second copy of another store with ` +
        `\`kloset-gateway copy SOURCE ${folder} --create\`, a new store with \`plakar at ${folder} create\`. ` +
        'If there are packfiles, its CONFIG is lost: put the CONFIG of a second copy there.\n',
    );
  });

  it('serves a copy of the sample store, and removes it at the end', async () => {
    const child = spawn(
      process.execPath,
      [...program, 'serve', '--sample', '--listen', '127.0.0.1:0', '--grpc-listen', '127.0.0.1:0'],
      {
        cwd: root,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const lines = await linesUntil(child, (line) => 'grpc' in line);
    const { http } = lines.find((line) => 'http' in line) ?? {};
    const answer = await fetch(`http://${String(http)}/resources/states`);
    expect(await answer.json()).to.have.length(2);
    expect(lines[0]).to.include({ access: 'read-only', durable: true });
    const copy = String(lines[0]?.['location']);
    expect(existsSync(join(copy, 'CONFIG'))).to.equal(true);
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).to.equal(0);
    expect(existsSync(dirname(copy))).to.equal(false);
  });

  it('stops when npx, which started it, is stopped, and leaves nothing behind', async () => {
    const args = ['kloset-gateway', 'serve', '--sample', '--listen', '127.0.0.1:0', '--grpc-listen', 'off'];
    const child = spawn('npx', args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
    const [serving] = await linesUntil(child, (line) => 'http' in line);
    child.kill('SIGTERM');
    // The gateway has the pipe, too.
    await once(child.stderr, 'close');
    expect(existsSync(dirname(String(serving?.['location'])))).to.equal(false);
  });

  it('needs neither HOME nor an entry in passwd, as in containers', () => {
    // What Node does without both.
    const homeless = `import { syncBuiltinESMExports } from 'node:module'; import os from 'node:os';
      os.homedir = () => { throw new Error('ENOENT: uv_os_homedir'); }; syncBuiltinESMExports();`;
    const preloaded = ['--import', `data:text/javascript,${encodeURIComponent(homeless)}`];
    const { status, stderr } = spawnSync(process.execPath, [...preloaded, ...program, 'check-config'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(stderr).to.not.include('uv_os_homedir');
    expect(status).to.equal(0);
  });

  it("ends on request, though its log can't be written", async () => {
    const full = openSync('/dev/full', 'w');
    const socket = join(await tempFolder(), 'a.sock');
    const args = [...program, 'serve', '--sample', '--listen', `unix:${socket}`, '--grpc-listen', 'off'];
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', full] });
    closeSync(full);
    const ended = once(child, 'exit');
    try {
      await eventually(async () => existsSync(socket), 'it serves', 15_000);
      child.kill('SIGTERM');
      expect(await ended).to.deep.equal([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('ends on SIGTERM before it serves, but not on SIGHUP, and opens no debugger', async () => {
    const connected = new Promise<void>((resolve) => server.once('connection', () => resolve()));
    const args = [...program, 'serve', `sftp://127.0.0.1:${port}/store`, '--ssh-config', 'none'];
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const ended = once(child, 'exit');
    await connected;
    child.kill('SIGHUP');
    child.kill('SIGUSR1');
    await eventually(async () => arePending(child.pid) === false, 'the signals are delivered');
    expect(child.signalCode, log).to.equal(null);
    child.kill('SIGTERM');
    expect(await ended).to.deep.equal([0, null]);
    expect(log).to.not.include('ebugger');
  });

  it("fails with the reason if it can't listen on an address", async () => {
    const { status, stderr } = run(
      'serve',
      '--sample',
      '--listen',
      '192.0.2.1:1',
      '--grpc-listen',
      'off',
      '--log-level',
      'silent',
    );
    expect(status).to.equal(1);
    expect(stderr).to.match(/^kloset-gateway: can't listen on 192\.0\.2\.1:1: /);
  });

  it('says what to change where another program has the port', () => {
    const { status, stderr } = run('serve', '--sample', '--listen', `127.0.0.1:${port}`, '--log-level', 'silent');
    expect(status).to.equal(1);
    expect(stderr).to.equal(
      `kloset-gateway: can't listen on 127.0.0.1:${port}: another program has this port: choose another one with --listen or --grpc-listen\n`,
    );
  });
});

/** Reads a program's log until it has a wanted line. */
async function linesUntil(
  child: ChildProcess,
  wanted: (line: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>[]> {
  let text = '';
  for (;;) {
    const [chunk] = (await once(child.stderr ?? child, 'data')) as [Buffer];
    text += chunk.toString();
    const whole = text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter(Boolean);
    const lines = whole.map((line) => JSON.parse(line) as Record<string, unknown>);
    if (lines.some(wanted)) return lines;
  }
}

/** Whether a process has signals that were sent and not delivered yet; undefined where it is gone. */
function arePending(pid: number | undefined): boolean | undefined {
  const path = `/proc/${pid}/status`;
  if (!existsSync(path)) return undefined;
  return /^(SigPnd|ShdPnd):\s*0*[1-9a-f]/m.test(readFileSync(path, 'utf8'));
}
