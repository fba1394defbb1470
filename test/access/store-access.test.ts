import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatAddress } from '../../src/core/address.js';
import { tokenDigest } from '../../src/auth/tokens.js';
import { startTestGateway } from '../support/gateway.js';
import { eventually } from '../support/store.js';
import { emptyStore, tempFolder } from '../support/temp.js';

describe('The audit log of failed logins', () => {
  it('names the principal that may not use the listener, and nobody for a wrong token', async () => {
    const file = join(await tempFolder(), 'audit.log');
    const { gateway, close } = await startTestGateway(undefined, {
      listen: [
        { address: '127.0.0.1:0', name: 'network' },
        { address: '127.0.0.1:0', name: 'admin' },
      ],
      stores: { blue: { location: await emptyStore() } },
      principals: {
        ops: { tokens: [`sha256:${tokenDigest('right')}`], access: { blue: 'full' }, listeners: ['admin'] },
      },
      'audit-log': file,
    });
    const [network, admin] = gateway.http.map((address) => `http://${formatAddress(address)}/blue/resources/states`);
    const ask = async (url = '', token = ''): Promise<number> =>
      (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status;
    expect(await ask(admin, 'right')).to.equal(200);
    expect(await ask(network, 'right')).to.equal(403);
    expect(await ask(network, 'wrong')).to.equal(401);
    const lines = await eventually(async () => {
      const text = (await readFile(file, 'utf8')).trimEnd().split('\n');
      return text.length === 2 && text.map((line) => JSON.parse(line) as Record<string, unknown>);
    }, 'both refusals are recorded');
    const shared = { operation: 'login', outcome: 'refused', listener: 'network' };
    expect(lines[0]).to.include({ ...shared, principal: 'ops', code: 'permission_denied' });
    expect(lines[1]).to.include({ ...shared, principal: 'anonymous', code: 'unauthenticated' });
    await close();
  });
});
