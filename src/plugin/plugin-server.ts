import { Server, ServerCredentials } from '@grpc/grpc-js';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { StoreService } from '../../gen/plakar/store.js';
import type { Peer } from '../core/caller.js';
import { StoreError } from '../core/errors.js';
import type { Logger } from '../lib/logger.js';
import type { AccessControl } from '../core/access-control.js';
import { Pace, type PaceLimits } from '../frontends/pace.js';
import { loggedRequests } from '../observability/request-log.js';
import { Requests } from '../frontends/requests.js';
import { Calls } from '../frontends/grpc/call.js';
import { plakarStoreService, type PlakarStoreServiceOptions } from '../frontends/grpc/plakar-store-service.js';

export interface PluginServerOptions {
  /** The one connection there is: HTTP/2 with prior knowledge, on pipes. */
  readonly input: Readable;
  readonly output: Writable;
  readonly open: PlakarStoreServiceOptions['open'];
  readonly log: Logger;
}

/** The one that there is to serve. */
const plakar: Peer = { listener: 'plugin', address: 'plakar' };

/** Whoever has the pipe is the user who runs plakar. The stores are those that Init opens, and no others. */
const nobody: AccessControl = {
  login: async (peer) => ({ principal: undefined, peer }),
  storeOf: () => {
    throw new StoreError('not_found', 'the plugin has no stores of its own: Init opens them');
  },
};

/** plakar may take as long as the user lets it. */
const anyPace: PaceLimits = { minRate: 0, stallMs: 60_000 };

/** Serves plakar's protocol on a pair of streams. Resolves when the client has closed them, and nothing is left to do. */
export async function servePlugin({ input, output, open, log }: PluginServerOptions): Promise<void> {
  const requests = new Requests([loggedRequests(log)]);
  const server = new Server();
  const calls = new Calls({ requests, access: nobody, peerOf: () => plakar, pace: new Pace(anyPace), log });
  server.addService(StoreService, plakarStoreService({ open, calls }));
  const ended = new Promise<void>((resolve) => {
    // Either end may go first; a client that was killed closes both.
    input
      .once('end', resolve)
      .once('close', resolve)
      .once('error', () => resolve());
    output.once('close', resolve).once('error', () => resolve());
  });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const connection = Duplex.from({ readable: input, writable: output });
  // Its end is what is waited for; a client that was killed in the middle is no failure of ours.
  connection.on('error', () => undefined);
  injector.injectConnection(connection);
  await ended;
  // Not forceShutdown(): Node 20's HTTP/2 fails an assertion when it is to destroy a session whose streams have gone before.
  connection.destroy();
  await requests.idle();
}
