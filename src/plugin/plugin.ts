import { ServerCredentials } from '@grpc/grpc-js';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { Policy } from '../access/policy.js';
import type { User } from '../backends/backend.js';
import { openStore, withConnectorOptions } from '../backends/backends.js';
import type { Host } from '../backends/files/sweep.js';
import { makeConfig } from '../config/config.js';
import type { AccessControl } from '../core/access-control.js';
import type { Peer } from '../core/caller.js';
import { StoreError } from '../core/errors.js';
import type { Store } from '../core/store.js';
import { Calls, type CallOrigin } from '../frontends/grpc/call.js';
import { LimitedServer } from '../frontends/grpc/limited-server.js';
import type { InitConfig } from '../frontends/grpc/plakar-init.js';
import {
  plakarStoreDefinition,
  plakarStoreService,
  type PlakarStoreServiceOptions,
  type StoreOfCall,
} from '../frontends/grpc/plakar-store-service.js';
import { Pace, type PaceLimits } from '../frontends/pace.js';
import { Requests } from '../frontends/requests.js';
import type { Logger } from '../lib/logger.js';
import { loggedRequests } from '../observability/request-log.js';

export interface PluginOptions {
  /** Both directions of the one connection: HTTP/2 with prior knowledge. */
  readonly input: Readable;
  readonly output: Writable;
  readonly log: Logger;
  readonly host: Host;
  readonly user: User;
  /** The folder that relative paths start from. */
  readonly cwd: string;
}

const plakar: Peer = { listener: 'plugin', address: 'plakar' };

/** All calls come on the same connection. */
const origin: CallOrigin = { connection: { peer: plakar } };

/** The caller is the user who runs plakar. The only stores are those that Init opens. */
const anonymous: AccessControl = {
  login: async (peer) => ({ principal: undefined, peer }),
  storeOf: () => {
    throw new StoreError('not_found', 'the plugin has only the stores that Init opens');
  },
};

/** The user decides how long plakar may take. */
const noMinimumRate: PaceLimits = { minRate: 0, stallMs: 60_000 };

/**
 * The composition root of the plugin: serves any store that plakar asks for, on a pair of streams. The user who runs plakar has all the
 * access that the store's location offers. Resolves when plakar closes the streams.
 */
export async function runPlugin(options: PluginOptions): Promise<void> {
  const stores: Store[] = [];
  const open = async (init: InitConfig): Promise<StoreOfCall> => {
    const store = await openFor(init, options);
    stores.push(store);
    const allowed = new Policy(store, { access: 'full', maxAccess: 'full', isLoggedIn: false, canLogIn: false });
    return () => allowed;
  };
  try {
    await servePlugin(open, options);
  } finally {
    await Promise.all(stores.map((store) => store.close()));
  }
}

/** Serves plakar's protocol on a pair of streams. Resolves when the client has closed them and no call is running. */
async function servePlugin(
  open: PlakarStoreServiceOptions['open'],
  { input, output, log }: PluginOptions,
): Promise<void> {
  const requests = new Requests([loggedRequests(log)]);
  const server = new LimitedServer();
  const calls = new Calls({ requests, access: anonymous, originOf: () => origin, pace: new Pace(noMinimumRate), log });
  server.addService(plakarStoreDefinition, plakarStoreService({ open, calls }));
  const ended = new Promise<void>((resolve) => {
    // Either may close first; both do where the client was killed.
    input
      .once('end', resolve)
      .once('close', resolve)
      .once('error', () => resolve());
    output.once('close', resolve).once('error', () => resolve());
  });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const connection = Duplex.from({ readable: input, writable: output });
  // The end of the connection is what counts, not how it ended: the client may have been killed.
  connection.on('error', () => undefined);
  injector.injectConnection(connection);
  await ended;
  // Not forceShutdown(): an assertion of Node 20's HTTP/2 fails where a session is destroyed after its socket.
  connection.destroy();
  await requests.idle();
}

/** Opens the store that an Init names. Errors carry all details: they are for the user of this machine. */
async function openFor(init: InitConfig, { log, host, user, cwd }: PluginOptions): Promise<Store> {
  const surroundings = { home: user.home, cwd };
  const checked = makeConfig({ location: init.location, 'allow-delete': true }, surroundings);
  if ('problems' in checked) throw new StoreError('invalid_argument', checked.problems.join('; '));
  const { config } = checked;
  const { location: named, s3 } = config.stores.get('') ?? {};
  if (named === undefined || named === 'sample') throw new StoreError('invalid_argument', 'the location is missing');
  const { ssh, durable, limits } = config;
  const { maxObjectBytes } = limits;
  const connector = { options: init.options, surroundings };
  try {
    const location = withConnectorOptions(named, init.options);
    return await openStore(location, { ssh, s3, durable, maxObjectBytes, host, user, writable: true, connector }, log);
  } catch (error) {
    throw new StoreError('invalid_argument', error instanceof Error ? error.message : String(error), { cause: error });
  }
}
