import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../../src/core/store.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { emptyStore } from '../support/temp.js';
import { describeStore, maxObjectBytes, type Target } from './store-suite.js';

describeStore('a local store through HTTP', () => openThrough(({ httpPort }) => new HttpStore(httpPort)), {
  onDisk: true,
  hides: ['created', 'objectSize'],
});

describeStore('a local store through gRPC', () => openThrough(({ grpcPort }) => new GrpcStore(grpcPort)), {
  onDisk: true,
  seenAs: (code) => (code === 'too_large' ? 'invalid_argument' : code),
});

/** A gateway with full access to an empty store, and a client of it. */
async function openThrough(connect: (gateway: TestGateway) => Store): Promise<Target> {
  const folder = await emptyStore();
  const gateway = await startTestGateway(folder, { 'allow-delete': true }, { maxObjectBytes });
  const store = connect(gateway);
  const close = async (): Promise<void> => {
    await store.close();
    await gateway.close();
  };
  return { store, folder, config: await readFile(join(folder, 'CONFIG')), close };
}
