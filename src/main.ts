#!/usr/bin/env node
import './lib/v8-flags.js';
import cluster from 'node:cluster';
import { homedir, hostname, userInfo } from 'node:os';
import { destination as logTo } from 'pino';
import type { Host } from './backends/files/sweep.js';
import { fileThreads } from './backends/local/thread-share.js';
import { wrongUsage, type Outcome } from './cli/outcome.js';
import { parseCommandLine } from './cli/parse.js';
import type { Command, ServeCommand } from './cli/command-types.js';
import type { CommandContext } from './cli/run-command.js';
import { loadConfig } from './config/load.js';
import { canceled } from './core/errors.js';
import { isSingleExecutable } from './lib/package-info.js';
import { createLog } from './observability/log.js';
import { serve } from './server/serve.js';
import { serveAsWorker } from './server/workers/serve-as-worker.js';

/* The program: the only module that uses the process. */

const host: Host = {
  name: hostname(),
  pid: process.pid,
  startedMs: performance.timeOrigin,
  isAlive: (pid) => {
    try {
      // Signal 0 only checks whether a signal could be sent.
      return process.kill(pid, 0);
    } catch (error) {
      return error instanceof Error && 'code' in error && error.code === 'EPERM';
    }
  },
};
fileThreads.size = Number(process.env['UV_THREADPOOL_SIZE'] ?? fileThreads.size);
// The SDK for stores in S3 warns, on Node 20, of what its later releases need. The gateway has a release that supports Node 20.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
// In a container, the user may have no entry in passwd, and no HOME.
const user = {
  name: valueOr(process.env['USER'] ?? 'root', () => userInfo().username),
  home: valueOr('/', homedir),
  env: process.env,
};
const context: CommandContext = {
  env: process.env,
  surroundings: {
    home: user.home,
    cwd: process.cwd(),
    repository: process.env['PLAKAR_REPOSITORY'] || undefined,
  },
  host,
  user,
  print: write,
  terminal: process.stderr.isTTY ? (text) => void process.stderr.write(text) : undefined,
  say: (text) => void process.stderr.write(text),
  interruption,
};

// Workers are started with the same arguments. Those of the single executable follow its name, and no module's.
if (isSingleExecutable && cluster.isPrimary) {
  const [, , exec, ...args] = process.argv;
  cluster.setupPrimary({ exec, args, execArgv: [] });
}
// Not `await`: in the single executable, the program is a CommonJS module.
void run(parseCommandLine(process.argv.slice(2)));

function run(command: Command): Promise<void> {
  if (command.name === 'plugin') return plugin();
  if (command.name !== 'serve') return runOnce(command);
  return cluster.isWorker ? serveAsWorker({ process, host, user, exit }) : serveUntilStopped(command);
}

/* What a gateway doesn't need is loaded by the commands that do: it would take some MiB. */

async function runOnce(other: Command): Promise<void> {
  const { runCommand } = await import('./cli/run-command.js');
  print(await runCommand(other, context));
}

/** Serves plakar over stdin and stdout. Its log goes to plakar's terminal, and so has only warnings. */
async function plugin(): Promise<void> {
  const log = createLog('warn', 'text', logTo({ dest: 2, sync: true }));
  const { runPlugin } = await import('./plugin/plugin.js');
  await runPlugin({ input: process.stdin, output: process.stdout, log, host, user, cwd: process.cwd() });
  exit(0);
}

async function serveUntilStopped(serveCommand: ServeCommand): Promise<void> {
  const load = (): ReturnType<typeof loadConfig> => loadConfig({ ...serveCommand, ...context });
  const loaded = await load();
  const problems = [...serveCommand.problems, ...('problems' in loaded ? loaded.problems : [])];
  if ('problems' in loaded || problems.length > 0) return print(wrongUsage(problems, serveCommand.name));
  try {
    await serve({ process, host, user, exit, loaded, load });
    exit(0);
  } catch (error) {
    process.stderr.write(`kloset-gateway: ${error instanceof Error ? error.message : String(error)}\n`);
    exit(1);
  }
}

/**
 * Ends the process. Node waits for its threads first, and one that waits for a disk that doesn't respond may never return: after a second
 * only a signal helps.
 */
function exit(code: number): void {
  const limitMs = performance.now() + 1000;
  const attempt = (): void => {
    if (fileThreads.busy === 0) process.exit(code);
    if (performance.now() < limitMs) return void setTimeout(attempt, 20);
    process.stderr.write('kloset-gateway: ended by SIGKILL, since a disk does not respond\n');
    process.kill(process.pid, 'SIGKILL');
  };
  attempt();
}

/** Aborts at the first SIGINT or SIGTERM, instead of their ending the process. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const abort = (): void => {
    for (const name of signals) process.off(name, abort);
    controller.abort(canceled());
  };
  for (const name of signals) process.on(name, abort);
  return controller.signal;
}

/** What the system says, or something else where that fails. */
function valueOr(otherwise: string, ask: () => string): string {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}

/** Prints the outcome of a command. */
function print({ stdout, stderr, exitCode }: Outcome): void {
  process.exitCode = exitCode;
  process.stderr.write(stderr);
  write(stdout).catch(({ message }: Error) => {
    process.stderr.write(`kloset-gateway: ${message}\n`);
    process.exitCode = 1;
  });
}

/** Without a listener an error would end the process, although `write` tells it. */
function toldByWrite(): void {
  // Nothing is left to do.
}

/** Writes to the output, and resolves once that is done. */
function write(text: string): Promise<void> {
  if (!process.stdout.listeners('error').includes(toldByWrite)) process.stdout.on('error', toldByWrite);
  return new Promise((resolve, reject) => {
    if (text === '') return resolve();
    process.stdout.write(text, (error) => {
      if (error) reject(new Error(`the output can't be written and is lost: ${error.message}`));
      else resolve();
    });
  });
}
