import { expect } from 'chai';
import { GatewayClient } from '../../src/client/index.js';
import { startTestGateway, testConfig } from '../support/gateway.js';
import { emptyStore } from '../support/temp.js';

describe("a gateway whose store is another gateway's", () => {
  it('reports the access and limits that the other one has now', async () => {
    const location = await emptyStore();
    const hub = await startTestGateway(location);
    const branch = await startTestGateway(`grpc://127.0.0.1:${hub.grpcPort}`, { 'allow-delete': true });
    const client = new GatewayClient({ address: `127.0.0.1:${branch.grpcPort}` });
    expect((await client.describe()).access).to.equal('read-only');
    await hub.gateway.reload(testConfig({ location, 'allow-write': true, 'max-object-size': '1MiB' }));
    expect(await client.describe()).to.include({ access: 'append', maxObjectBytes: 1024 * 1024 });
    client.close();
    await branch.close();
    await hub.close();
  });
});
