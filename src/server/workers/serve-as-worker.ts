import cluster from 'node:cluster';
import { openProgramLog, type ProgramLog } from '../../observability/program-log.js';
import type { Gateway } from '../gateway.js';
import type { ProcessContext } from '../serve.js';
import { startGateway } from '../start-gateway.js';
import { Channel } from './channel.js';
import type { Primary, Worker } from './messages.js';

/** Serves as one of several processes, on the orders of the primary process, which started this one. */
export async function serveAsWorker({ process, host, user, exit }: ProcessContext): Promise<void> {
  const { worker } = cluster;
  if (worker === undefined) throw new Error('this process is not a cluster worker');
  // Terminals and systemd send signals to every process.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => undefined);
  let gateway: Gateway | undefined;
  let programLog: ProgramLog | undefined;
  const end = async (code: number): Promise<void> => {
    await programLog?.close();
    exit(code);
  };
  const mine: Worker = {
    loginFailed: (address) => gateway?.countFailedLogin(address),
    reload: async (config) => {
      await gateway?.reload(config);
      if (programLog !== undefined) programLog.log.level = config.logLevel;
    },
    reopenLogs: async () => gateway?.reopenLogs(),
    stop: (graceMs) => void Promise.resolve(gateway?.close(graceMs)).then(() => end(0)),
    metrics: async () => (await gateway?.metricValues()) ?? [],
  };
  const channel = new Channel<Worker, Primary>((message) => worker.send(message), mine);
  worker.on('message', (message) => channel.receive(message));
  const { config, activated, ...role } = await channel.call('start');
  try {
    programLog = openProgramLog(config, { isTerminal: process.stderr.isTTY, isShared: true });
    gateway = await startGateway({
      config,
      log: programLog.log,
      host,
      user,
      activated,
      shared: {
        ...role,
        unixSockets: {
          prepare: (options) => channel.call('prepareSocket', options),
          publish: (options) => channel.call('publishSocket', options),
          remove: (options) => channel.call('removeSocket', options),
        },
        loginFailed: (address) => channel.tell('loginFailed', address),
        metrics: () => channel.call('metrics'),
      },
    });
    channel.tell('serves');
  } catch (error) {
    await channel.call('fails', error instanceof Error ? error.message : String(error));
    await end(1);
  }
}
