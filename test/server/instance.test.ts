import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { formatAddress } from '../../src/core/address.js';
import type { Status } from '../../src/watch/status.js';
import { startTestGateway, testConfig, type TestGateway } from '../support/gateway.js';
import { eventually } from '../support/store.js';
import { emptyStore, tempFolder } from '../support/temp.js';

describe("A gateway's name among its replicas", () => {
  let gateway: TestGateway;

  afterEach(() => gateway.close());

  async function askAdmin(path: string): Promise<string> {
    const [address] = gateway.gateway.admin;
    return (await fetch(`http://${address && formatAddress(address)}${path}`)).text();
  }

  it('is in the log of its start, the status, the metrics and each audit line, and can be changed by a reload', async () => {
    const location = await emptyStore();
    const auditLog = join(await tempFolder(), 'audit.log');
    const settings = { location, 'admin-listen': ['127.0.0.1:0'], 'audit-log': auditLog };
    gateway = await startTestGateway(location, { ...settings, instance: 'gateway-1' });
    const refusedDelete = (): Promise<Response> =>
      fetch(`http://127.0.0.1:${gateway.httpPort}/resources/states/${'5a'.repeat(32)}`, { method: 'DELETE' });
    const audited = async (): Promise<unknown[]> =>
      (await readFile(auditLog, 'utf8'))
        .trim()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { instance: unknown }).instance);

    expect(gateway.log.find(({ message }) => message.startsWith('serving '))).to.include({ instance: 'gateway-1' });
    await refusedDelete();
    await eventually(async () => String(await audited()) === 'gateway-1', 'the refusal is in the audit log');
    expect((JSON.parse(await askAdmin('/api/status')) as Status).instance).to.equal('gateway-1');

    await gateway.gateway.reload(testConfig({ ...settings, instance: 'gateway-2' }));
    await refusedDelete();
    await eventually(async () => String(await audited()) === 'gateway-1,gateway-2', 'the second one, too');
    expect(await askAdmin('/metrics')).to.match(/^kloset_gateway_build_info\{.*replica="gateway-2"\} 1$/m);
    expect(await askAdmin('/')).to.include('gateway-2');
  });

  it("is its host's by default", async () => {
    gateway = await startTestGateway(await emptyStore(), { 'admin-listen': ['127.0.0.1:0'] });
    expect((JSON.parse(await askAdmin('/api/status')) as Status).instance).to.equal(hostname());
  });
});
