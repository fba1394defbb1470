import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Loaded } from '../config/load.js';
import { parseActivation } from '../net/activation.js';
import { openProgramLog } from '../observability/program-log.js';
import type { Gateway, GatewayOptions } from './gateway.js';
import { Reloader, type ReloaderOptions } from './reloader.js';
import { npmGone } from './parent-watch.js';
import { startGateway } from './start-gateway.js';
import { WorkerGroup } from './workers/worker-group.js';
import { workersFor } from './workers/workers-for.js';

type Process = Pick<NodeJS.Process, 'env' | 'pid' | 'ppid' | 'stderr' | 'on' | 'once'>;

/** What a gateway needs to know of the process that it runs in. */
export interface ProcessContext extends Pick<GatewayOptions, 'host' | 'user'> {
  readonly process: Process;
  /** Ends the process. */
  readonly exit: (code: number) => void;
}

export interface ServeOptions extends ProcessContext {
  /** The configuration to start with. */
  readonly loaded: Loaded;
  /** Loads it again. */
  readonly load: ReloaderOptions['load'];
}

type MainGateway = Pick<Gateway, 'files' | 'reload' | 'countFailedReload' | 'reopenLogs' | 'close'>;

/** If a stop is requested during the start, how long to wait for the start to finish and clean up, in milliseconds. */
const abandonMs = 1000;

/** Serves until a signal asks to stop. Fails with a message for the operator if the gateway can't start or continue. */
export async function serve(options: ServeOptions): Promise<void> {
  const { process, host, user, load, loaded } = options;
  const { config, configFiles } = loaded;
  const workers = workersFor(config, availableParallelism());
  const programLog = openProgramLog(config, { isTerminal: process.stderr.isTTY, hasWorkers: workers > 1 });
  const { log } = programLog;
  try {
    // Before anything that takes long, since the defaults are that SIGHUP ends the process and SIGUSR1 opens a debugger's port.
    const hangups = receiveHangups(process);
    process.on('SIGUSR1', () => undefined);
    const stop = Promise.race([nextStopSignal(process), npmGone(process)]);
    let failed: (error: Error) => void = () => undefined;
    const failure = new Promise<never>((_, reject) => (failed = reject));
    // It may fail before it is awaited.
    failure.catch(() => undefined);
    const activated = parseActivation(process.env, process.pid);
    const starting: Promise<MainGateway> =
      workers === 1
        ? startGateway({ config, log, host, user, activated })
        : WorkerGroup.start({ config, workers, activated, log, logged: (lines) => programLog.add(lines), failed });
    const gateway = await Promise.race([starting, stop.then(() => undefined)]);
    if (gateway === undefined) {
      await Promise.race([starting.then((started) => started.close(0)), sleep(abandonMs)]);
      return;
    }
    for (const warning of loaded.warnings) log.warn({}, warning);
    if ((config.workers ?? 1) > workers) log.warn({ workers }, 'stores with a quota are served by one process');
    const onReload: ReloaderOptions['onReload'] = (next) => void (log.level = next.config.logLevel);
    const reloader = new Reloader({ load, configFiles, gateway, onReload, log });
    hangups.handle(() => void gateway.reopenLogs().then(() => reloader.reload()));
    const signal = await Promise.race([stop, failure]);
    // Shutdown does not wait for a running reload, which will be discarded.
    void reloader.close();
    const again = nextStopSignal(process);
    const { shutdownDelayMs, drainMs } = config;
    const first = shutdownDelayMs > 0 ? `serving for another ${shutdownDelayMs / 1000} s, then ` : '';
    const limit = `${drainMs / 1000} s`;
    log.info(
      { signal },
      `${signal}: ${first}waiting up to ${limit} for running requests; send it again to stop at once`,
    );
    // Gracefully, or at once if there is another signal.
    await Promise.race([gateway.close(), again.then(() => gateway.close(0))]);
    log.info({}, 'stopped');
  } finally {
    await programLog.close();
  }
}

/** Receives SIGHUP. One that comes before there is a handler is handled when there is. */
function receiveHangups(process: Process): { handle(handler: () => void): void } {
  let isPending = false;
  let handler = (): void => void (isPending = true);
  process.on('SIGHUP', () => handler());
  return {
    handle: (next) => {
      handler = next;
      if (isPending) handler();
    },
  };
}

function nextStopSignal(process: Process): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
}
