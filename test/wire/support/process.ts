import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../support/store.js';
import { builtProgram, program as programArgs } from '../../support/program.js';
import { tempFolder } from '../../support/temp.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const running = new Set<ChildProcess>();

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The program, in a process of its own. */
export interface GatewayProcess {
  readonly pid: number;
  readonly httpPort: number;
  readonly grpcPort: number;
  /** The lines of its log. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  readonly exited: Promise<Exit>;
  signal(signal: NodeJS.Signals): void;
  /** Its memory in MiB: now, and the most since it started or since the peak was reset. */
  memory(): { now: number; peak: number };
}

/** The option that bin/kloset-gateway passes to node. */
const semiSpaceFlag = '--max-semi-space-size=4';

/**
 * The program as it is shipped, compiled into a temporary folder if it isn't yet; for tests of its memory, of which what runs the source takes a
 * good part. Resolves to the arguments that run it.
 */
export async function compile(): Promise<readonly string[]> {
  if (builtProgram !== undefined) return [semiSpaceFlag, builtProgram];
  const folder = await tempFolder();
  for (const name of ['node_modules', 'proto', 'sample', 'package.json']) {
    await symlink(join(root, name), join(folder, name));
  }
  const tsc = [
    'node_modules/typescript/bin/tsc',
    '-p',
    'tsconfig.build.json',
    '--noCheck',
    '--outDir',
    join(folder, 'dist'),
  ];
  const { status, stdout } = spawnSync(process.execPath, tsc, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`it doesn't compile: ${stdout}`);
  return [semiSpaceFlag, join(folder, 'dist', 'src', 'main.js')];
}

/**
 * Starts the program on free ports of 127.0.0.1. Resolves when it serves.
 *
 * @param location the store's; undefined: the options name a configuration file that says what to serve, and where
 * @param how.wrapper a command that runs it, such as strace; it must become the program, rather than be its parent
 * @param how.program node's arguments that run it
 * @param how.env added to its environment
 * @param how.descriptors what it has from descriptor 3 on
 */
export async function startProcess(
  location: string | undefined,
  options: readonly string[] = [],
  how: {
    wrapper?: readonly string[];
    program?: readonly string[];
    env?: Readonly<Record<string, string>>;
    descriptors?: readonly number[];
  } = {},
): Promise<GatewayProcess> {
  const { wrapper = [], program = programArgs, env = {}, descriptors = [] } = how;
  const addresses = ['--listen', '127.0.0.1:0', '--grpc-listen', '127.0.0.1:0'];
  const what = location === undefined ? options : [location, ...addresses, ...options];
  const node = [process.execPath, ...program, 'serve', ...what];
  const [command = '', ...args] = [...wrapper, ...node];
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe', ...descriptors],
  });
  running.add(child);
  const exited = new Promise<Exit>((resolve) =>
    child.once('exit', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    }),
  );
  const log: Record<string, unknown>[] = [];
  if (child.stderr === null) throw new Error('no pipe for its log');
  createInterface(child.stderr).on('line', (line) => log.push(parseLine(line)));
  const port = (protocol: string): number => {
    const address = log.find((line) => line[protocol] !== undefined)?.[protocol];
    return Number(String(address).split(':').at(-1));
  };
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${JSON.stringify(log)}`);
    return port('grpc') > 0;
  }, 'the gateway serves');
  const pid = child.pid ?? NaN;
  return {
    pid,
    httpPort: port('http'),
    grpcPort: port('grpc'),
    log,
    exited,
    signal: (signal) => void process.kill(pid, signal),
    memory: () => memoryOf(pid),
  };
}

/** Ends every process that is still running. For `afterEach`. */
export async function killProcesses(): Promise<void> {
  for (const child of running) {
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
  }
}

function parseLine(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return { text: line };
  }
}

function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { now: field('VmRSS'), peak: field('VmHWM') };
}
