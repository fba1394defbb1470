import { GatewayStore } from '../../src/backends/gateway/gateway-store.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startTestGateway } from '../support/gateway.js';
import { HttpStore } from '../support/http-store.js';
import { PatientStore } from '../support/patient-store.js';
import { openThrough, withUndo } from './open-through.js';
import { overHttp } from './protocol-options.js';
import { describeStore, type Target } from './store-suite.js';
import { operations } from './target.js';

/** A store behind another gateway, with a proxy between them that can stop forwarding. */
async function openBehindProxy(): Promise<Target> {
  const proxies: TcpProxy[] = [];
  const target = await openThrough(async ({ grpcPort }) => {
    const proxy = await TcpProxy.start(grpcPort);
    proxies.push(proxy);
    return GatewayStore.open({ address: `127.0.0.1:${proxy.port}` });
  });
  const block: Target['block'] = async () => {
    for (const proxy of proxies) proxy.freeze();
    const unblock = async (): Promise<void> => {
      for (const proxy of proxies) {
        proxy.thaw();
        proxy.cut();
      }
    };
    return { operations, unblock };
  };
  const close = async (): Promise<void> => {
    await target.close();
    await Promise.all(proxies.map((proxy) => proxy.close()));
  };
  return { ...target, block, close };
}

describeStore("another gateway's store", openBehindProxy, { onDisk: true });

describeStore(
  'a local store with a retention and a trash through a chain of two gateways, and HTTP',
  async () => {
    const second: { close(): Promise<void> }[] = [];
    const target = await openThrough(async ({ grpcPort }) => {
      const gateway = await startTestGateway(`grpc://127.0.0.1:${grpcPort}`, { 'allow-delete': true });
      second.push(gateway);
      return new PatientStore(new HttpStore(gateway.httpPort));
    }, withUndo);
    const close = async (): Promise<void> => {
      await Promise.all(second.map((gateway) => gateway.close()));
      await target.close();
    };
    return { ...target, close };
  },
  overHttp,
);
