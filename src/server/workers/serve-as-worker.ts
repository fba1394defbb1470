import cluster from 'node:cluster';
import { formatOf } from '../../observability/program-log.js';
import { WorkerLog } from '../../observability/worker-log.js';
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
  let workerLog: WorkerLog | undefined;
  const end = async (code: number): Promise<void> => {
    await workerLog?.close();
    exit(code);
  };
  const mine: Worker = {
    loginFailed: (address) => gateway?.countFailedLogin(address),
    added: (objects) => gateway?.added(objects),
    reload: async (config) => {
      await gateway?.reload(config);
      if (workerLog !== undefined) workerLog.log.level = config.logLevel;
    },
    reopenLogs: async () => gateway?.reopenLogs(),
    stop: (graceMs) => void Promise.resolve(gateway?.close(graceMs)).then(() => end(0)),
    metrics: async () => (await gateway?.metricValues()) ?? [],
  };
  const channel = new Channel<Worker, Primary>((message) => worker.send(message), mine);
  worker.on('message', (message) => channel.receive(message));
  const { config, activated, ...role } = await channel.call('start');
  try {
    const format = formatOf(config.logFormat, process.stderr.isTTY);
    workerLog = new WorkerLog(config.logLevel, format, (lines) => channel.call('logged', lines));
    gateway = await startGateway({
      config,
      log: workerLog.log,
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
        observed: (observation) => channel.tell('observed', observation),
        status: () => channel.call('status'),
      },
    });
    channel.tell('serves');
  } catch (error) {
    await channel.call('fails', error instanceof Error ? error.message : String(error));
    await end(1);
  }
}
