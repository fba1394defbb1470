#!/usr/bin/env node
import { homedir, hostname, userInfo } from 'node:os';
import { destination as logTo } from 'pino';
import type { Host } from './backends/files/temporary.js';
import { helpText } from './cli/help.js';
import { parseCommandLine } from './cli/parse.js';
import { makeConfig, type Settings } from './config/config.js';
import { startGateway } from './gateway.js';
import { createLog } from './log.js';
import { version } from './package.js';
import { runPlugin } from './plugin.js';

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
    await serve(command.settings, command.problems);
    break;
}

/** What goes wrong is told to plakar; its terminal, where stderr goes, gets no more than warnings. */
async function plugin(): Promise<void> {
  const log = createLog('warn', 'text', logTo({ dest: 2, sync: true }));
  const user = { name: userName(), home: homedir(), env: process.env };
  await runPlugin({ input: process.stdin, output: process.stdout, log, host, user, cwd: process.cwd() });
  process.exit(0);
}

async function serve(settings: Settings, usageProblems: readonly string[]): Promise<void> {
  const checked = makeConfig(settings, { home: homedir(), cwd: process.cwd() });
  if ('problems' in checked) return refuse([...usageProblems, ...checked.problems]);
  if (usageProblems.length > 0) return refuse(usageProblems);
  const { config } = checked;

  // Gathered for a moment: a write for each line would cost more than the request that it is about.
  const output = logTo({ dest: 2, sync: false, minLength: 4096, periodicFlush: 100 });
  // A log that nobody reads any more is no reason to stop serving.
  output.on('error', () => undefined);
  const log = createLog(config.logLevel, config.logFormat ?? (process.stderr.isTTY ? 'text' : 'json'), output);

  try {
    const user = { name: userName(), home: homedir(), env: process.env };
    const gateway = await startGateway({ config, log, host, user });
    const signal = await firstSignal();
    log.info(
      { signal },
      `${signal}: finishing what is running, for ${config.drainMs / 1000} s at most; once more to stop at once`,
    );
    const impatient = firstSignal().then(() => gateway.close(0));
    await Promise.race([gateway.close(), impatient]);
    log.info({}, 'stopped');
    output.flushSync();
    process.exit(0);
  } catch (error) {
    output.flushSync();
    process.stderr.write(`kloset-gateway: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
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

/** Wrong usage: every problem at once, and where to look. */
function refuse(problems: readonly string[]): void {
  process.stderr.write(
    `${problems.map((problem) => `kloset-gateway: ${problem}\n`).join('')}Try kloset-gateway --help.\n`,
  );
  process.exitCode = 2;
}
