import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.js';
import type { Measured } from '../case.js';
import { processesOf } from '../measure.js';

export interface ServerCommand {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The server is ready when all of these accept connections. */
  readonly ports: readonly number[];
}

/** A server's process and its descendants. */
export class Server implements Measured {
  private constructor(
    private readonly bench: Bench,
    private readonly process: ChildProcess,
    readonly pid: number,
    readonly tag: string,
  ) {}

  static async start(bench: Bench, { name, program, args, env, ports }: ServerCommand): Promise<Server> {
    const logFile = bench.newPath(`${name}.log`);
    const log = openSync(logFile, 'w');
    const tag = `KLOSET_BENCH_SERVER=${logFile}`;
    const [key, value] = tag.split('=') as [string, string];
    const child = spawn(program, args, {
      cwd: bench.folder,
      env: { PATH: process.env['PATH'], HOME: bench.programs.plakarHome, TMPDIR: bench.folder, ...env, [key]: value },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    child.on('error', () => undefined);
    for (const port of ports) {
      for (let attempt = 0; !(await answers(port)); attempt++) {
        if (child.exitCode !== null || child.pid === undefined || attempt > 1000) {
          throw new Error(`${name} did not start: ${await readFile(logFile, 'utf8')}`);
        }
        await sleep(20);
      }
    }
    const server = new Server(bench, child, child.pid as number, tag);
    bench.servers.add(server);
    return server;
  }

  /** Kills all of its processes. */
  async stop(): Promise<void> {
    this.bench.servers.delete(this);
    const all = processesOf(this.pid, this.tag);
    const running = this.process.exitCode === null && this.process.signalCode === null;
    const gone = running ? once(this.process, 'exit') : undefined;
    for (const pid of all) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has exited.
      }
    }
    await gone;
  }
}

async function answers(port: number): Promise<boolean> {
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
