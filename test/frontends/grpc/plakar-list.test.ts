import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { StoreService, type ListResponse } from '../../../gen/plakar/store.js';
import { MacBatch } from '../../../src/core/mac-batch.js';
import { parseMac } from '../../../src/core/object.js';
import { plakarStoreService } from '../../../src/frontends/grpc/plakar-store-service.js';
import { callsOn } from '../../support/calls.js';
import { MemoryStore } from '../../support/memory-store.js';
import { PlakarStore } from '../../support/plakar-store.js';
import { expectFailure } from '../../support/store.js';

/** As many MACs as fit into a message of 4 MiB: 34 bytes each. */
const most = Math.floor((4 * 1024 ** 2) / 34);

class LongList extends MemoryStore {
  count = 0;

  override async *list(): AsyncGenerator<MacBatch> {
    for (let at = 0; at < this.count; at += 1000) {
      const length = Math.min(1000, this.count - at);
      yield MacBatch.of(Array.from({ length }, (_, i) => parseMac((at + i).toString(16).padStart(64, '0'))));
    }
  }
}

describe("a list in plakar's gRPC protocol", () => {
  it('is given where it fits into one message of the default size, and refused with a way out where it does not', async () => {
    const store = new LongList(Buffer.alloc(100), 1000);
    const server = new Server();
    server.addService(
      StoreService,
      plakarStoreService({ open: () => Promise.resolve(() => store), calls: callsOn(store) }),
    );
    const port = await new Promise<number>((resolve) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound)),
    );
    const client = await PlakarStore.open(port);
    try {
      store.count = most;
      expect((await client.ask<ListResponse>('list', { type: 1 })).macs).to.have.length(most);
      store.count = most + 1;
      const { message } = await expectFailure(client.ask('list', { type: 1 }), 'answer_too_large');
      expect(message).to.include('kloset.store.v1.StoreService/ListObjects').and.to.include('http://');
    } finally {
      await client.close();
      server.forceShutdown();
    }
  });
});
