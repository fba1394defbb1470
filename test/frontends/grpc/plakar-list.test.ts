import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { StoreService, type ListResponse } from '../../../gen/plakar/store.js';
import { parseMac, type Mac } from '../../../src/core/object.js';
import { Calls } from '../../../src/frontends/grpc/call.js';
import { plakarStoreService } from '../../../src/frontends/grpc/plakar-store-service.js';
import { Requests } from '../../../src/frontends/requests.js';
import { MemoryStore } from '../../support/memory-store.js';
import { PlakarStore } from '../../support/plakar-store.js';
import { expectFailure } from '../../support/store.js';

/** As many MACs as fit into a message of 4 MiB: 34 bytes each. */
const most = Math.floor((4 * 1024 ** 2) / 34);

class LongList extends MemoryStore {
  count = 0;

  override async *list(): AsyncGenerator<readonly Mac[]> {
    for (let at = 0; at < this.count; at += 1000) {
      const length = Math.min(1000, this.count - at);
      yield Array.from({ length }, (_, i) => parseMac((at + i).toString(16).padStart(64, '0')));
    }
  }
}

describe("a list in plakar's gRPC protocol", () => {
  it('is given where it fits into one message of the default size, and refused with a way out where it does not', async () => {
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const store = new LongList(Buffer.alloc(100), 1000);
    const server = new Server();
    const calls = new Calls(new Requests(log), log);
    server.addService(StoreService, plakarStoreService({ open: () => Promise.resolve(store), calls }));
    const port = await new Promise<number>((resolve) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound)),
    );
    const client = await PlakarStore.open(port);
    try {
      store.count = most;
      expect((await client.ask<ListResponse>('list', { type: 1 })).macs).to.have.length(most);
      store.count = most + 1;
      // RESOURCE_EXHAUSTED, which clients can't tell from a full disk by its code.
      const { message } = await expectFailure(client.ask('list', { type: 1 }), 'no_space');
      expect(message).to.include('kloset.store.v1.StoreService/ListObjects').and.to.include('http://');
    } finally {
      await client.close();
      server.forceShutdown();
    }
  });
});
