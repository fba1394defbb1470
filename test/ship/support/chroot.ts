import { execFileSync, spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../support/store.js';
import { tempFolder } from '../../support/temp.js';

/** A folder or file of this machine that is at a place of the chroot while a command runs. */
export interface Mount {
  readonly source: string;
  readonly target: string;
}

export interface RunOptions {
  /** User and group, as numbers; without it, root. Such a command has no capabilities, and can't get any. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** The whole environment, but for a PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working folder. */
  readonly cwd?: string;
  readonly mounts?: readonly Mount[];
  /** Mounts the root file system read-only, and a file system in memory at /tmp. */
  readonly readOnly?: boolean;
  /** Gives the command a network of its own, which has only a loopback interface. */
  readonly ownNetwork?: boolean;
}

export interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Whether this machine can make one: as root, on Linux, with debootstrap. */
export function canMakeChroot(): boolean {
  return process.getuid?.() === 0 && spawnSync('sh', ['-c', 'command -v debootstrap unshare nsenter ip']).status === 0;
}

/** A minimal Debian in a folder, where programs run as root or as another user. What they write is in a layer of its own. */
export class Chroot {
  private constructor(
    /** The root folder, as the rest of the machine sees it. */
    readonly path: string,
    /** The folder with what was written. */
    readonly layer: string,
  ) {}

  /** Makes a new one over the base system, which takes a minute where that has to be made first. */
  static async make(): Promise<Chroot> {
    const base = execFileSync(fileURLToPath(new URL('debian-base', import.meta.url)), { encoding: 'utf8' }).trim();
    const folder = await tempFolder();
    const [path, layer, work] = ['root', 'layer', 'work'].map((name) => join(folder, name)) as [string, string, string];
    for (const each of [path, layer, work]) mkdirSync(each);
    const options = `lowerdir=${base},upperdir=${layer},workdir=${work}`;
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, path]);
    return new Chroot(path, layer);
  }

  /** Runs a command to its end. */
  run(command: readonly string[], options: RunOptions = {}): Result {
    const [file, ...args] = this.inNamespaces(command, options);
    return spawnSync(file, args, { encoding: 'utf8', env: hostEnv, maxBuffer: 64 << 20 });
  }

  /** Runs a command to its end, and fails if the command does. Gives what it printed. */
  runOrFail(command: readonly string[], options: RunOptions = {}): string {
    const { status, stdout, stderr } = this.run(command, options);
    if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
    return stdout;
  }

  /** Starts a command, which is process 1 among those that it sees. */
  async start(command: readonly string[], options: RunOptions = {}): Promise<Running> {
    const [file, ...args] = this.inNamespaces(command, options);
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
    return Running.of(spawn(file, args, { stdio, env: hostEnv }), this.path);
  }

  /** Removes it with all that was written. Nothing may run in it any more. */
  async remove(): Promise<void> {
    execFileSync('umount', [this.path]);
    await rm(this.layer, { recursive: true });
  }

  private inNamespaces(command: readonly string[], options: RunOptions): readonly [string, ...string[]] {
    const { mounts = [], readOnly = false, ownNetwork = false } = options;
    for (const { source, target } of mounts) makeMountPoint(source, join(this.path, target));
    const setUp = [
      'set -e',
      `mount --bind "${this.path}" "${this.path}"`,
      `mount -t proc proc "${this.path}/proc"`,
      ...mounts.map(({ source, target }) => `mount --bind "${source}" "${this.path}${target}"`),
      // What is mounted in it stays writable.
      ...(readOnly ? [`mount -o remount,bind,ro "${this.path}"`, `mount -t tmpfs tmpfs "${this.path}/tmp"`] : []),
      ...(ownNetwork ? ['ip link set lo up'] : []),
      'exec "$@"',
    ];
    return [
      'unshare',
      ...['--mount', '--pid', '--fork', '--kill-child', ...(ownNetwork ? ['--net'] : [])],
      ...['sh', '-c', setUp.join('\n'), 'sh'],
      ...inChroot(this.path, command, options),
    ];
  }
}

/** A command that runs in a chroot. */
export class Running {
  /** All that it has printed. */
  output = '';
  /** Resolves to how it ended. */
  readonly exit: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;

  private constructor(
    private readonly outer: ChildProcess,
    private readonly path: string,
  ) {
    this.exit = new Promise((resolve) => outer.once('close', (code, signal) => resolve({ code, signal })));
    for (const stream of [outer.stdout, outer.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  static async of(outer: ChildProcess, path: string): Promise<Running> {
    const running = new Running(outer, path);
    await eventually(async () => outer.exitCode !== null || running.pid() !== undefined, 'the command starts');
    return running;
  }

  /** Runs another command beside it to its end: it has the same root, network and processes. */
  run(command: readonly string[], options: Pick<RunOptions, 'user' | 'env' | 'cwd'> = {}): Result {
    const target = ['--target', `${this.pid()}`, '--mount', '--pid', '--net'];
    const args = [...target, ...inChroot(this.path, command, options)];
    return spawnSync('nsenter', args, { encoding: 'utf8', env: hostEnv });
  }

  /** Sends a signal to the command itself. */
  signal(signal: NodeJS.Signals): void {
    const pid = this.pid();
    if (pid === undefined) throw new Error(`it has ended: ${this.output}`);
    process.kill(pid, signal);
  }

  /** Kills it with all its processes, if it still runs. */
  async kill(): Promise<void> {
    if (this.pid() !== undefined) this.signal('SIGKILL');
    await this.exit;
  }

  /** The command's process, as the rest of the machine sees it: the child of `unshare`. */
  private pid(): number | undefined {
    if (this.outer.exitCode !== null || this.outer.pid === undefined) return undefined;
    try {
      const [child] = readFileSync(`/proc/${this.outer.pid}/task/${this.outer.pid}/children`, 'utf8').split(' ');
      return child ? Number(child) : undefined;
    } catch {
      return undefined;
    }
  }
}

/** As container engines do, makes what is missing. */
function makeMountPoint(source: string, target: string): void {
  if (existsSync(target)) return;
  const isFolder = statSync(source).isDirectory();
  mkdirSync(isFolder ? target : dirname(target), { recursive: true });
  if (!isFolder) writeFileSync(target, '');
}

const hostEnv = { PATH: process.env['PATH'] };
/** As in Debian's image, and in those made of it. */
const chrootPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function inChroot(path: string, command: readonly string[], { user, env = {}, cwd = '/' }: RunOptions): string[] {
  const variables = Object.entries({ PATH: chrootPath, ...env }).map(([name, value]) => `${name}=${value}`);
  const privileges =
    user === undefined
      ? []
      : [
          'setpriv',
          `--reuid=${user.uid}`,
          `--regid=${user.gid}`,
          '--clear-groups',
          '--no-new-privs',
          '--bounding-set=-all',
        ];
  return ['chroot', path, ...privileges, 'env', '--ignore-environment', `--chdir=${cwd}`, ...variables, ...command];
}
