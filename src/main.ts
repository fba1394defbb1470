#!/usr/bin/env node
import './lib/v8-flags.js';
import cluster from 'node:cluster';
import { availableParallelism, homedir, hostname, userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { destination as logTo } from 'pino';
import type { Host } from './backends/files/temporary.js';
import { checkConfig } from './cli/check-config.js';
import { helpText } from './cli/help.js';
import type { Outcome } from './cli/outcome.js';
import { parseCommandLine, type ServeCommand } from './cli/parse.js';
import { createTokenFor } from './cli/token.js';
import { loadConfig, type Loaded } from './config/load.js';
import type { Config } from './config/types.js';
import { startGateway } from './server/start-gateway.js';
import type { User } from './server/user.js';
import { createLog } from './observability/log.js';
import { parseActivation } from './net/activation.js';
import { version } from './lib/package-info.js';
import { runPlugin } from './plugin/plugin.js';
import { openProgramLog, type ProgramLog } from './observability/program-log.js';
import { Reloader } from './server/reloader.js';
import { serveAsWorker } from './server/workers/serve-as-worker.js';
import { WorkerGroup } from './server/workers/worker-group.js';
import { workersFor } from './server/workers/workers-for.js';

/* The program: the only module that touches the process. */

const host: Host = {
  name: hostname(),
  pid: process.pid,
  startedMs: performance.timeOrigin,
  isAlive: (pid) => {
    try {
      // Signal 0 is sent to nobody, and tells whether it could have been.
      return process.kill(pid, 0);
    } catch (error) {
      return error instanceof Error && 'code' in error && error.code === 'EPERM';
    }
  },
};

/** How long a start may go on that nobody wants any more, in milliseconds, to leave nothing behind. */
const abandonMs = 1000;

const command = parseCommandLine(process.argv.slice(2));
switch (command.name) {
  case 'help':
    say(helpText());
    break;
  case 'version':
    say(`kloset-gateway ${version}\n`);
    break;
  case 'unknown':
    refuse(command.problems);
    break;
  case 'plugin':
    await plugin();
    break;
  case 'serve':
    await (cluster.isWorker ? work() : serve(command));
    break;
  case 'check-config':
    tell(await checkConfig(sourcesOf(command), command.problems));
    break;
  case 'token create':
    tell(await createTokenFor(command, surroundings()));
    break;
}

/** What goes wrong is told to plakar; its terminal, where stderr goes, gets no more than warnings. */
async function plugin(): Promise<void> {
  const log = createLog('warn', 'text', logTo({ dest: 2, sync: true }));
  await runPlugin({ input: process.stdin, output: process.stdout, log, host, user: user(), cwd: process.cwd() });
  process.exit(0);
}

async function serve(serveCommand: ServeCommand): Promise<void> {
  const load = (): ReturnType<typeof loadConfig> => loadConfig(sourcesOf(serveCommand));
  const first = await load();
  if ('problems' in first) return refuse([...serveCommand.problems, ...first.problems]);
  if (serveCommand.problems.length > 0) return refuse(serveCommand.problems);
  const { config } = first;

  const workers = workersFor(config, availableParallelism());
  const { log, accessLog, close: closeLog } = openLog(config, workers > 1);
  try {
    const activated = parseActivation(process.env, process.pid);
    let fail: (error: Error) => void = () => undefined;
    const failure = new Promise<never>((_, reject) => (fail = reject));
    failure.catch(() => undefined);
    // Before anything takes long: Node would end the program, and for the other one open its debugger to all of this machine.
    let isHungUp = false;
    let hungUp = (): void => void (isHungUp = true);
    process.on('SIGHUP', () => hungUp());
    process.on('SIGUSR1', () => undefined);
    const stop = firstSignal();
    const starting =
      workers === 1
        ? startGateway({ config, log, accessLog, host, user: user(), activated })
        : WorkerGroup.start({ config, workers, activated, log, failed: (error) => fail(error) });
    const gateway = await Promise.race([starting, stop.then(() => undefined)]);
    if (gateway === undefined) {
      await Promise.race([starting.then((started) => started.close(0)), sleep(abandonMs)]);
      await closeLog();
      process.exit(0);
    }
    for (const warning of first.warnings) log.warn({}, warning);
    if ((config.workers ?? 1) > workers)
      log.warn({ workers }, 'stores with a quota are served by one process: this one');
    const inForce = ({ config: { logLevel } }: Loaded): void => void (log.level = logLevel);
    const reloader = new Reloader({ load, configFiles: first.configFiles, gateway, inForce, log });
    hungUp = () => void gateway.reopenLogs().then(() => reloader.reload());
    if (isHungUp) hungUp();
    const signal = await Promise.race([stop, failure]);
    const again = firstSignal();
    const drainMs = config.drainMs;
    log.info(
      { signal },
      `${signal}: finishing what is running, for ${drainMs / 1000} s at most; once more to stop at once`,
    );
    // Without waiting for a reload that is under way: it comes to nothing now.
    void reloader.close();
    await Promise.race([gateway.close(), again.then(() => gateway.close(0))]);
    log.info({}, 'stopped');
    await closeLog();
    process.exit(0);
  } catch (error) {
    await closeLog();
    process.stderr.write(`kloset-gateway: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

/** Serves as one of the processes that `serve` started: what to do, and when to stop, is up to that one. */
async function work(): Promise<void> {
  // A terminal and systemd send them to every process.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => undefined);
  let opened: ProgramLog | undefined;
  await serveAsWorker({
    startGateway: ({ config, activated, shared }) => {
      opened = openLog(config, true);
      const { log, accessLog } = opened;
      return startGateway({ config, log, accessLog, host, user: user(), activated, shared });
    },
    inForce: ({ logLevel }) => {
      if (opened !== undefined) opened.log.level = logLevel;
    },
    exit: (code) => void Promise.resolve(opened?.close()).then(() => process.exit(code)),
  });
}

function openLog(config: Config, isShared: boolean): ProgramLog {
  return openProgramLog(config, { isTerminal: process.stderr.isTTY, isShared });
}

function user(): User {
  return { name: userName(), home: homedir(), env: process.env };
}

/** Where the settings of a command come from. */
function sourcesOf({ flags, configPath }: ServeCommand): Parameters<typeof loadConfig>[0] {
  return { flags, configPath, env: process.env, surroundings: surroundings() };
}

function surroundings(): { home: string; cwd: string } {
  return { home: homedir(), cwd: process.cwd() };
}

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
}

/** The user's name; a container's user may have none. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env['USER'] ?? 'root';
  }
}

/** Prints what a command came to, and exits with its code. */
function tell({ stdout, stderr, exitCode }: Outcome): void {
  process.exitCode = exitCode;
  process.stderr.write(stderr);
  say(stdout);
}

/** Prints what a command is asked for. */
function say(text: string): void {
  process.stdout.once('error', ({ message }) => {
    process.stderr.write(`kloset-gateway: its output can't be written, and is lost: ${message}\n`);
    process.exitCode = 1;
  });
  process.stdout.write(text);
}

/** Wrong usage: every problem at once, and where to look. */
function refuse(problems: readonly string[]): void {
  process.stderr.write(
    `${problems.map((problem) => `kloset-gateway: ${problem}\n`).join('')}Try kloset-gateway --help.\n`,
  );
  process.exitCode = 2;
}
