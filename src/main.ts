#!/usr/bin/env node
import './lib/v8-flags.js';
import cluster from 'node:cluster';
import { homedir, hostname, userInfo } from 'node:os';
import { destination as logTo } from 'pino';
import type { Host } from './backends/files/sweep.js';
import { fileThreads } from './backends/local/thread-share.js';
import { wrongUsage, type Outcome } from './cli/outcome.js';
import { parseCommandLine, type ServeCommand } from './cli/parse.js';
import { runCommand, type CommandContext } from './cli/run-command.js';
import { loadConfig } from './config/load.js';
import { createLog } from './observability/log.js';
import { runPlugin } from './plugin/plugin.js';
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
};

const command = parseCommandLine(process.argv.slice(2));
if (command.name === 'plugin') await plugin();
else if (command.name !== 'serve') print(await runCommand(command, context));
else if (cluster.isWorker) await serveAsWorker({ process, host, user, exit });
else await serveUntilStopped(command);

/** Serves plakar over stdin and stdout. Its log goes to plakar's terminal, and so has only warnings. */
async function plugin(): Promise<void> {
  const log = createLog('warn', 'text', logTo({ dest: 2, sync: true }));
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
  process.stdout.once('error', ({ message }) => {
    process.stderr.write(`kloset-gateway: the output can't be written and is lost: ${message}\n`);
    process.exitCode = 1;
  });
  process.stdout.write(stdout);
}
