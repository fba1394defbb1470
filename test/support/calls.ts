import type { Store } from '../../src/core/store.js';
import { Calls } from '../../src/frontends/grpc/call.js';
import { Pace } from '../../src/frontends/pace.js';
import { Requests } from '../../src/frontends/requests.js';
import { silent } from './gateway.js';

/** Makes handlers for a gRPC server of one store, to which every caller has full access. */
export function callsOn(store: Store): Calls {
  return new Calls({
    requests: new Requests([]),
    access: { login: (peer) => ({ principal: undefined, peer }), storeOf: () => store },
    peerOf: () => ({ listener: 'test', address: '127.0.0.1' }),
    pace: new Pace({ minRate: 0, stallMs: 60_000 }),
    log: silent,
  });
}
