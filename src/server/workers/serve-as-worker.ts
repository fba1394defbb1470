import cluster from 'node:cluster';
import type { Gateway, GatewayOptions } from '../gateway.js';
import { Channel } from './channel.js';
import type { Primary, Start, Worker } from './messages.js';

export interface WorkerOptions {
  /** Starts a gateway with the primary's options and the process's own. */
  readonly startGateway: (start: Pick<GatewayOptions, 'config' | 'activated' | 'shared'>) => Promise<Gateway>;
  /** Called with each configuration that becomes active. */
  readonly onActive: (config: Start['config']) => void;
  /** Ends the process, when the worker has stopped (0) or can't serve (1). */
  readonly exit: (code: 0 | 1) => void;
}

/** Serves as one of several processes, on the orders of the primary process, which started this one. */
export async function serveAsWorker({ startGateway, onActive, exit }: WorkerOptions): Promise<void> {
  const process = cluster.worker;
  if (process === undefined) throw new Error('this process is not a cluster worker');
  let gateway: Gateway | undefined;
  const mine: Worker = {
    loginFailed: (address) => gateway?.countFailedLogin(address),
    reload: async (config) => {
      await gateway?.reload(config);
      onActive(config);
    },
    reopenLogs: async () => gateway?.reopenLogs(),
    stop: (graceMs) => {
      if (gateway === undefined) exit(0);
      else void gateway.close(graceMs).then(() => exit(0));
    },
    metrics: async () => (await gateway?.metricValues()) ?? [],
  };
  const channel = new Channel<Worker, Primary>((message) => process.send(message), mine);
  process.on('message', (message) => channel.receive(message));
  const { config, activated, ...role } = await channel.call('start');
  onActive(config);
  try {
    gateway = await startGateway({
      config,
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
    exit(1);
  }
}
