import cluster from 'node:cluster';
import type { Gateway, GatewayOptions } from '../gateway.js';
import { Channel } from './channel.js';
import { Leases } from './leases.js';
import type { Primary, Start, Worker } from './messages.js';

export interface WorkerOptions {
  /** Starts a gateway with what the primary says, and what the process adds. */
  readonly startGateway: (start: Pick<GatewayOptions, 'config' | 'activated' | 'shared'>) => Promise<Gateway>;
  /** Is told of a configuration that has come into force. */
  readonly inForce: (config: Start['config']) => void;
  /** Ends the process, when the worker has stopped (0) or can't serve (1). */
  readonly exit: (code: 0 | 1) => void;
}

/** Serves as one of several processes: what is to be done comes from the primary, which started this one. */
export async function serveAsWorker({ startGateway, inForce, exit }: WorkerOptions): Promise<void> {
  const process = cluster.worker;
  if (process === undefined) throw new Error('this process is no worker');
  let gateway: Gateway | undefined;
  const mine: Worker = {
    granted: (key, places) => leases.granted(key, places),
    recalled: (key, places) => leases.recalled(key, places),
    loginFailed: (address) => gateway?.countFailedLogin(address),
    reload: async (config) => {
      await gateway?.reload(config);
      inForce(config);
    },
    reopenLogs: async () => gateway?.reopenLogs(),
    stop: (graceMs) => {
      if (gateway === undefined) exit(0);
      else void gateway.close(graceMs).then(() => exit(0));
    },
    metrics: async () => (await gateway?.metricValues()) ?? [],
  };
  const channel = new Channel<Worker, Primary>((message) => process.send(message), mine);
  const leases = new Leases({
    ask: (key) => channel.tell('ask', key),
    giveBack: (key, places) => channel.tell('giveBack', key, places),
  });
  process.on('message', (message) => channel.receive(message));
  const { config, activated, ...standing } = await channel.call('start');
  inForce(config);
  try {
    gateway = await startGateway({
      config,
      activated,
      shared: {
        connections: leases.places('connections'),
        turns: (kind, key) => leases.places(`${kind} of ${key}`),
        unixSockets: {
          prepare: (options) => channel.call('prepareSocket', options),
          publish: (options) => channel.call('placeSocket', options),
          remove: (options) => channel.call('removeSocket', options),
        },
        loginFailed: (address) => channel.tell('loginFailed', address),
        ...standing,
        metrics: () => channel.call('metrics'),
      },
    });
    channel.tell('serves');
  } catch (error) {
    await channel.call('fails', error instanceof Error ? error.message : String(error));
    exit(1);
  }
}
