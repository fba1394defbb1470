#!/usr/bin/env node
import { homedir, hostname, userInfo } from 'node:os';
import { destination as logTo } from 'pino';
import { jsonAccessLog } from './access-log.js';
import type { Host } from './backends/files/temporary.js';
import { checkConfig } from './cli/check-config.js';
import { helpText } from './cli/help.js';
import type { Outcome } from './cli/outcome.js';
import { parseCommandLine, type ServeCommand } from './cli/parse.js';
import { createTokenFor } from './cli/token.js';
import { loadConfig, type Loaded } from './config/load.js';
import { startGateway } from './gateway/gateway.js';
import { createLog } from './log.js';
import { parseActivation } from './net/activation.js';
import { version } from './package.js';
import { runPlugin } from './plugin.js';
import { Reloader } from './reloader.js';

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

const command = parseCommandLine(process.argv.slice(2));
switch (command.name) {
  case 'help':
    process.stdout.write(helpText());
    break;
  case 'version':
    process.stdout.write(`kloset-gateway ${version}\n`);
    break;
  case 'unknown':
    refuse(command.problems);
    break;
  case 'plugin':
    await plugin();
    break;
  case 'serve':
    await serve(command);
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
  const user = { name: userName(), home: homedir(), env: process.env };
  await runPlugin({ input: process.stdin, output: process.stdout, log, host, user, cwd: process.cwd() });
  process.exit(0);
}

async function serve(serveCommand: ServeCommand): Promise<void> {
  const load = (): ReturnType<typeof loadConfig> => loadConfig(sourcesOf(serveCommand));
  const first = await load();
  if ('problems' in first) return refuse([...serveCommand.problems, ...first.problems]);
  if (serveCommand.problems.length > 0) return refuse(serveCommand.problems);
  const { config } = first;

  // Gathered for a moment: a write for each line would cost more than the request that it is about.
  const output = logTo({ dest: 2, sync: false, minLength: 4096, periodicFlush: 100 });
  // A log that nobody reads any more is no reason to stop serving.
  output.on('error', () => undefined);
  const format = config.logFormat ?? (process.stderr.isTTY ? 'text' : 'json');
  const log = createLog(config.logLevel, format, output);
  const accessLog =
    format === 'json'
      ? jsonAccessLog(
          (line) => output.write(line),
          () => log.isLevelEnabled('info'),
        )
      : undefined;

  try {
    const user = { name: userName(), home: homedir(), env: process.env };
    const activated = parseActivation(process.env, process.pid);
    const gateway = await startGateway({ config, log, accessLog, host, user, activated });
    for (const warning of first.warnings) log.warn({}, warning);
    const inForce = ({ config: { logLevel } }: Loaded): void => void (log.level = logLevel);
    const reloader = new Reloader({ load, configFiles: first.configFiles, gateway, inForce, log });
    process.on('SIGHUP', () => void gateway.reopenLogs().then(() => reloader.reload()));
    const signal = await firstSignal();
    const drainMs = config.drainMs;
    log.info(
      { signal },
      `${signal}: finishing what is running, for ${drainMs / 1000} s at most; once more to stop at once`,
    );
    await reloader.close();
    const impatient = firstSignal().then(() => gateway.close(0));
    await Promise.race([gateway.close(), impatient]);
    log.info({}, 'stopped');
    accessLog?.flush();
    output.flushSync();
    process.exit(0);
  } catch (error) {
    accessLog?.flush();
    output.flushSync();
    process.stderr.write(`kloset-gateway: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
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
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = exitCode;
}

/** Wrong usage: every problem at once, and where to look. */
function refuse(problems: readonly string[]): void {
  process.stderr.write(
    `${problems.map((problem) => `kloset-gateway: ${problem}\n`).join('')}Try kloset-gateway --help.\n`,
  );
  process.exitCode = 2;
}
