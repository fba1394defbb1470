import { Server, ServerCredentials, type handleUnaryCall } from '@grpc/grpc-js';
import { expect } from 'chai';
import {
  StoreServiceService,
  type GetStoreInfoRequest,
  type GetStoreInfoResponse,
} from '../../gen/kloset/store/v1/store.js';
import { GatewayClient } from '../../src/client/client.js';
import { storeService } from '../../src/frontends/grpc/store-service.js';
import { callsOn } from '../support/calls.js';
import { makeCertificate, type Certificate } from '../support/certificate.js';
import { MemoryStore } from '../support/memory-store.js';
import { expectFailure } from '../support/store.js';

describe('The client over TLS', () => {
  let server: Server;
  let address: string;
  let certificate: Certificate;
  const tokens: unknown[] = [];

  before(async () => {
    certificate = await makeCertificate();
    const store = new MemoryStore(Buffer.alloc(48, 'c'), 1000);
    const service = storeService({ calls: callsOn(store), version: '0' });
    server = new Server();
    const getStoreInfo: handleUnaryCall<GetStoreInfoRequest, GetStoreInfoResponse> = (call, callback) => {
      tokens.push(...call.metadata.get('authorization'));
      service.getStoreInfo(call, callback);
    };
    server.addService(StoreServiceService, { ...service, getStoreInfo });
    const credentials = ServerCredentials.createSsl(null, [
      { cert_chain: certificate.cert, private_key: certificate.key },
    ]);
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error))),
    );
    address = `localhost:${port}`;
  });

  after(() => server.forceShutdown());

  it('reads from a gateway whose authority it was told, and sends its token', async () => {
    const client = new GatewayClient({ address, tls: { ca: certificate.cert }, token: 'secret' });
    expect(Buffer.from((await client.describe()).config).toString()).to.equal('c'.repeat(48));
    expect(tokens).to.deep.equal(['Bearer secret']);
    client.close();
  });

  it('sends nothing to a gateway whose certificate is not trusted', async () => {
    tokens.length = 0;
    const client = new GatewayClient({ address, tls: true, token: 'secret', attempts: 1 });
    const error = await expectFailure(client.describe({ deadlineMs: 5000 }), 'unavailable');
    expect(error.message).to.match(/certificate/);
    expect(tokens).to.deep.equal([]);
    client.close();
  });
});
