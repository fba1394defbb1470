import { expect } from 'chai';
import { GrpcStore } from '../support/grpc-store.js';
import { listAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { framed } from './support/raw-grpc.js';
import { killProcesses, startProcess, type GatewayProcess } from './support/process.js';
import { RawHttp2 } from './support/raw-http2.js';

describe('A gRPC call that its client resets right after its message', function () {
  this.timeout(60_000);
  /** Another process: in this one, both sides would take turns. */
  let gateway: GatewayProcess;

  before(async () => {
    gateway = await startProcess(await emptyStore(), []);
  });

  after(killProcesses);

  const service = '/kloset.store.v1.StoreService';
  for (const path of [`${service}/GetStoreInfo`, `${service}/ListObjects`, '/store.Store/Init']) {
    it(`does not affect other clients, whenever the reset comes: ${path}`, async () => {
      for (let i = 0; i < 30; i++) {
        const connection = await RawHttp2.connect(gateway.grpcPort);
        for (let k = 0; k < 20; k++) {
          const stream = connection.request(path);
          await connection.data(stream, framed(Buffer.alloc(0)));
          await someTurns(k);
          connection.reset(stream);
        }
        connection.socket.destroy();
      }
      const store = new GrpcStore(gateway.grpcPort);
      expect(await listAll(store, 'state')).to.deep.equal([]);
      await store.close();
    });
  }
});

/** Fractions of a millisecond. */
async function someTurns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
