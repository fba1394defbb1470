import { ServerCredentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreServiceService } from '../../../gen/kloset/store/v1/store.js';
import type { ObjectRef } from '../../../src/core/object.js';
import type { PutResult } from '../../../src/core/store.js';
import { LimitedServer } from '../../../src/frontends/grpc/limited-server.js';
import { storeService } from '../../../src/frontends/grpc/store-service.js';
import { callsOn } from '../../support/calls.js';
import { MemoryStore } from '../../support/memory-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { putPath, upload } from '../../wire/support/raw-grpc.js';
import { RawHttp2 } from '../../wire/support/raw-http2.js';

const MiB = 1024 * 1024;

/** Takes uploads when it is told to. */
class BusyStore extends MemoryStore {
  goOn = (): void => undefined;
  private readonly free = new Promise<void>((resolve) => (this.goOn = resolve));

  override async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>): Promise<PutResult> {
    await this.free;
    return super.put(ref, body);
  }
}

describe('An upload over gRPC to a store that is busy', () => {
  it('keeps only a few messages in memory, and continues when the store does', async () => {
    const store = new BusyStore(Buffer.alloc(100), 100 * MiB);
    const server = new LimitedServer();
    server.addService(StoreServiceService, storeService({ calls: callsOn(store), version: '1' }));
    const port = await new Promise<number>((resolve) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound)),
    );
    const client = await RawHttp2.connect(port);
    try {
      const ref = newRef('packfile');
      const bytes = makeObject('packfile', 32 * MiB);
      const stream = client.request(putPath);
      let sent = 0;
      const sending = (async () => {
        await client.data(stream, upload.header(ref));
        for (; sent < bytes.length; sent += MiB)
          await client.data(stream, upload.chunk(bytes.subarray(sent, sent + MiB)));
        await client.data(stream, upload.finish(bytes.length), { endStream: true });
      })();
      for (let before = -1; before < sent || sent < MiB;) {
        before = sent;
        await sleep(300);
      }
      expect(sent).to.be.within(1 * MiB, 4 * MiB);
      store.goOn();
      await sending;
      expect(sent).to.equal(bytes.length);
    } finally {
      client.close();
      server.forceShutdown();
    }
  });
});
