import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { GrpcStore } from '../support/grpc-store.js';
import { ctx, listAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { framed } from './support/raw-grpc.js';
import { RawHttp2 } from './support/raw-http2.js';

describe('A gRPC call that its client leaves right behind its message', () => {
  let gateway: TestGateway;

  before(async () => {
    gateway = await startTestGateway(await emptyStore());
  });

  after(() => gateway.close());

  const service = '/kloset.store.v1.StoreService';
  for (const path of [
    `${service}/GetStoreInfo`,
    `${service}/ListObjects`,
    `${service}/ReadRanges`,
    '/store.Store/Init',
  ]) {
    for (const how of ['resets it', 'breaks its connection off'] as const) {
      it(`does no harm to anybody else: ${path}, and the client ${how}`, async () => {
        // When it is left matters, by fractions of a millisecond.
        for (let i = 0; i < 15; i++) {
          const connection = await RawHttp2.connect(gateway.grpcPort);
          for (let k = 0; k < 20; k++) {
            const stream = connection.request(path);
            await connection.data(stream, framed(Buffer.alloc(0)));
            await sleep(k % 4);
            if (how === 'resets it') connection.reset(stream);
            else break;
          }
          connection.socket.destroy();
        }
        const store = new GrpcStore(gateway.grpcPort);
        expect(await listAll(store, 'state')).to.deep.equal([]);
        expect(await store.config(ctx)).to.have.length.greaterThan(0);
        await store.close();
      });
    }
  }
});
