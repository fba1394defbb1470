import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SftpLocation } from '../../src/backends/sftp/location.js';
import type { Settings } from '../../src/config/config.js';
import type { SftpOptions } from '../../src/backends/sftp/options.js';

const program = '/usr/sbin/sshd';

/** Whether OpenSSH's server is installed. */
export function hasSshd(): boolean {
  return existsSync(program);
}

export interface SshdOptions {
  /** Kinds of host keys. Default: ed25519 only. */
  readonly hostKeyTypes?: readonly ('ed25519' | 'ecdsa' | 'rsa')[];
  /** More lines of sshd_config. */
  readonly config?: readonly string[];
}

/** A real OpenSSH server on a free port of 127.0.0.1, with keys of its own, in a folder of its own. */
export class Sshd {
  private process: ChildProcess | undefined;

  private constructor(
    /** Holds the configuration and all keys. */
    readonly folder: string,
    readonly port: number,
    private readonly hostKeyTypes: readonly string[],
  ) {}

  static async start({ hostKeyTypes = ['ed25519'], config = [] }: SshdOptions = {}): Promise<Sshd> {
    const folder = await mkdtemp(join(tmpdir(), 'kloset-gateway-sshd-'));
    const sshd = new Sshd(folder, await freePort(), hostKeyTypes);
    await mkdir(join(folder, 'home', '.ssh'), { recursive: true });
    for (const type of hostKeyTypes) makeKey(join(folder, `host_${type}`), type);
    makeKey(join(folder, 'identity'));
    await writeFile(join(folder, 'authorized_keys'), await readFile(join(folder, 'identity.pub')));
    await writeFile(join(folder, 'known_hosts'), await sshd.knownHosts());
    await writeFile(join(folder, 'sshd_config'), sshd.configuration(config));
    await sshd.resume();
    return sshd;
  }

  /** The user that tests run as. */
  get user(): string {
    return userInfo().username;
  }

  /** A folder of this machine, as a location on this server. */
  location(path: string): SftpLocation {
    return { scheme: 'sftp', user: this.user, host: '127.0.0.1', port: this.port, path };
  }

  /** Options that reach this server and touch nothing of the user's. */
  get options(): SftpOptions {
    return {
      env: { PATH: process.env['PATH'] },
      home: join(this.folder, 'home'),
      localUser: this.user,
      identities: [join(this.folder, 'identity')],
      knownHosts: [join(this.folder, 'known_hosts')],
      sshConfig: 'none',
    };
  }

  /** The same, as settings of a gateway. */
  get settings(): Settings {
    return {
      'ssh-identity': [join(this.folder, 'identity')],
      'ssh-known-hosts': [join(this.folder, 'known_hosts')],
      'ssh-config': 'none',
    };
  }

  /** Lines of known_hosts for this server's keys, with this name for it. */
  async knownHosts(name = `[127.0.0.1]:${this.port}`): Promise<string> {
    const keys = await Promise.all(
      this.hostKeyTypes.map((type) => readFile(join(this.folder, `host_${type}.pub`), 'utf8')),
    );
    return keys.map((key) => `${name} ${key}`).join('');
  }

  /** Starts it again, on the same port, after `pause`. */
  async resume(): Promise<void> {
    // The folder is sshd's own demand when root runs it.
    if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    const child = spawn(program, ['-D', '-e', '-f', join(this.folder, 'sshd_config')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.process = child;
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
    for (let attempt = 0; !(await answers(this.port)); attempt++) {
      if (child.exitCode !== null || attempt > 200) throw new Error(`sshd didn't start: ${complaints}`);
      await sleep(25);
    }
  }

  /** Stops it and drops all its connections. */
  async pause(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (child?.pid === undefined || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    // It may be making processes right now, and they can't be found any more once it is gone.
    child.kill('SIGSTOP');
    for (let quiet = 0; quiet < 2;) {
      const children = await descendants(child.pid);
      killAll(children);
      quiet = children.length === 0 ? quiet + 1 : 0;
    }
    child.kill('SIGKILL');
    await gone;
  }

  /** Kills the processes that serve its connections. Resolves to how many there were. */
  async killConnections(): Promise<number> {
    const children = await this.connectionProcesses();
    killAll(children);
    return children.length;
  }

  /** The processes that serve its connections. */
  async connectionProcesses(): Promise<number[]> {
    return this.process?.pid === undefined ? [] : descendants(this.process.pid);
  }

  /** Stops it and removes its folder. */
  async stop(): Promise<void> {
    await this.pause();
    await rm(this.folder, { recursive: true, force: true });
  }

  private configuration(more: readonly string[]): string {
    return [
      `Port ${this.port}`,
      'ListenAddress 127.0.0.1',
      ...this.hostKeyTypes.map((type) => `HostKey ${join(this.folder, `host_${type}`)}`),
      `AuthorizedKeysFile ${join(this.folder, 'authorized_keys')}`,
      'PidFile none',
      'UsePAM no',
      'StrictModes no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'MaxStartups 100',
      'LogLevel ERROR',
      ...more,
      'Subsystem sftp internal-sftp',
      '',
    ].join('\n');
  }
}

/** Makes a pair of keys: `file` and `file.pub`. */
export function makeKey(file: string, type = 'ed25519', passphrase = ''): void {
  const { status, stderr } = spawnSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', file]);
  if (status !== 0) throw new Error(`ssh-keygen: ${String(stderr)}`);
}

/** A port of 127.0.0.1 that is free. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether something accepts connections on a port of 127.0.0.1. */
export async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The processes that came from `pid`, by what Linux says in /proc. */
async function descendants(pid: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // The name, in parentheses, may have spaces; the state and the parent come after it.
    const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    // What has ended stays there until its parent asks for it.
    if (parent !== undefined && state !== 'Z') parents.set(Number(name), Number(parent));
  }
  const found: number[] = [];
  const add = (parent: number): void => {
    for (const [child, of] of parents) {
      if (of !== parent) continue;
      found.push(child);
      add(child);
    }
  };
  add(pid);
  return found;
}

function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}
