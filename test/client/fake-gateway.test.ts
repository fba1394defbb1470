import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreServiceService } from '../../gen/kloset/store/v1/store.js';
import { GatewayClient } from '../../src/client/client.js';
import type { ObjectRead } from '../../src/core/store.js';
import { storeService } from '../../src/frontends/grpc/store-service.js';
import { callsOn } from '../support/calls.js';
import { MemoryStore } from '../support/memory-store.js';
import { newRef } from '../support/objects.js';
import { expectFailure } from '../support/store.js';

const MiB = 1024 * 1024;

/** Has one object of 64 MiB, and counts what was asked of it. */
class CountingStore extends MemoryStore {
  given = 0;

  override async get(): Promise<ObjectRead> {
    return { objectSize: 64 * MiB, length: 64 * MiB, data: this.chunks(), release: () => undefined };
  }

  private async *chunks(): AsyncGenerator<Uint8Array> {
    for (; this.given < 64; this.given++) yield Buffer.alloc(MiB);
  }
}

describe('The client', () => {
  let server: Server;
  let client: GatewayClient;

  async function serve(service: UntypedServiceImplementation): Promise<void> {
    server = new Server();
    server.addService(StoreServiceService, service);
    const port = await new Promise<number>((resolve) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound)),
    );
    client = new GatewayClient({ address: `127.0.0.1:${port}` });
  }

  afterEach(() => {
    client.close();
    server.forceShutdown();
  });

  it('keeps no more than a few messages of a download that is not consumed', async () => {
    const store = new CountingStore(Buffer.alloc(100), 100 * MiB);
    await serve(storeService({ calls: callsOn(store), version: '1' }) as unknown as UntypedServiceImplementation);
    const { chunks } = await client.get(newRef('packfile'));
    // What would be too much takes its time: until none has come for a while.
    for (let before = -1; before < store.given;) {
      before = store.given;
      await sleep(300);
    }
    expect(store.given).to.be.within(1, 6);
    await chunks.return();
  });

  it('fails where a gateway ends a call and has not answered all reads', async () => {
    await serve({ readRanges: (call: { resume(): void; end(): void }) => (call.resume(), call.end()) } as never);
    const read = { ref: newRef('state'), range: { offset: 0, length: 1 } };
    const { message } = await expectFailure(client.readRanges([read, read]).next(), 'unavailable');
    expect(message).to.contain('before it had answered');
  });
});
