import { GatewayStore } from '../../src/backends/gateway/gateway-store.js';
import { startTestGateway } from '../support/gateway.js';
import { HttpStore } from '../support/http-store.js';
import { openThrough } from './open-through.js';
import { describeStore } from './store-suite.js';

describeStore(
  "another gateway's store",
  () => openThrough(({ grpcPort }) => GatewayStore.open({ address: `127.0.0.1:${grpcPort}` })),
  { onDisk: true },
);

describeStore(
  'a local store through a chain of two gateways, and HTTP',
  async () => {
    const second: { close(): Promise<void> }[] = [];
    const target = await openThrough(async ({ grpcPort }) => {
      const gateway = await startTestGateway(`grpc://127.0.0.1:${grpcPort}`, { 'allow-delete': true });
      second.push(gateway);
      return new HttpStore(gateway.httpPort);
    });
    const close = async (): Promise<void> => {
      await Promise.all(second.map((gateway) => gateway.close()));
      await target.close();
    };
    return { ...target, close };
  },
  { onDisk: true, hides: ['created', 'objectSize'] },
);
