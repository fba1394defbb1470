import { ServerCredentials } from '@grpc/grpc-js';
import { Duplex, type Readable, type Writable } from 'node:stream';
import type { Peer } from '../core/caller.js';
import { StoreError } from '../core/errors.js';
import type { Logger } from '../lib/logger.js';
import type { AccessControl } from '../core/access-control.js';
import { Pace, type PaceLimits } from '../frontends/pace.js';
import { loggedRequests } from '../observability/request-log.js';
import { Requests } from '../frontends/requests.js';
import { Calls, type CallOrigin } from '../frontends/grpc/call.js';
import { LimitedServer } from '../frontends/grpc/limited-server.js';
import {
  plakarStoreDefinition,
  plakarStoreService,
  type PlakarStoreServiceOptions,
} from '../frontends/grpc/plakar-store-service.js';

export interface PluginServerOptions {
  /** Both directions of the one connection: HTTP/2 with prior knowledge. */
  readonly input: Readable;
  readonly output: Writable;
  readonly open: PlakarStoreServiceOptions['open'];
  readonly log: Logger;
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

/** Serves plakar's protocol on a pair of streams. Resolves when the client has closed them and no call is running. */
export async function servePlugin({ input, output, open, log }: PluginServerOptions): Promise<void> {
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
