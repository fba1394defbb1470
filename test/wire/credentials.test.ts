import { expect } from 'chai';
import { testConfig, type TestGateway } from '../support/gateway.js';
import type { Settings } from '../../src/config/config.js';
import type { ClientOptions } from '../support/client-options.js';
import { makeObject, newRef } from '../support/objects.js';
import { expectFailure, failure, listAll, putAll } from '../support/store.js';
import {
  basic,
  clearProtocols,
  listing,
  password,
  portFor,
  startWithPrincipals,
  token,
  tokenHash,
} from './support/logging-in.js';

describe('Credentials', function () {
  this.timeout(60_000);
  const gateways: TestGateway[] = [];

  afterEach(async () => {
    for (const each of gateways.splice(0)) await each.close();
  });

  async function start(changes: Settings = {}): ReturnType<typeof startWithPrincipals> {
    const gateway = await startWithPrincipals(changes);
    gateways.push(gateway);
    return gateway;
  }

  for (const protocol of clearProtocols) {
    const right = {
      'a bearer token': `Bearer ${token}`,
      "a token as Basic's password, with its principal's name": basic('web-1', token),
      "a token as Basic's password, without a name": basic('', token),
      'the password of an htpasswd file': basic('ann', password),
    };
    it(`log in over ${protocol.name}, in each form, and wrong ones do not`, async () => {
      const gateway = await start();
      for (const [what, authorization] of Object.entries(right)) {
        const store = await protocol.connect(portFor(protocol, gateway), { store: 'blue', authorization });
        expect(await listAll(store, 'state'), what).to.deep.equal([]);
        await putAll(store, newRef('lock'), makeObject('lock', 100));
        await store.close();
      }
      for (const authorization of [`Bearer ${token}x`, basic('ann', token), basic('web-1', password), 'Digest x']) {
        await expectFailure(listing(protocol, gateway, { store: 'blue', authorization }), 'unauthenticated');
      }
    });

    it(`tell nobody over ${protocol.name} which stores and which names there are`, async () => {
      const gateway = await start();
      const message = async (options: ClientOptions): Promise<string> => {
        const { code, message: text } = await failure(listing(protocol, gateway, options));
        return `${code}: ${text.replaceAll(options.store ?? '', 'STORE')}`;
      };
      const authorization = `Bearer ${token}`;
      const without = await message({ store: 'green', authorization });
      expect(without).to.match(/^permission_denied: store "STORE" does not exist, or you have no access to it/);
      expect(await message({ store: 'nowhere', authorization })).to.equal(without);
      const nobody = await message({ store: 'green' });
      expect(nobody).to.match(/^unauthenticated: store "STORE" requires a login/);
      for (const store of ['blue', 'nowhere']) expect(await message({ store })).to.equal(nobody);
      const wrong = await message({ store: 'blue', authorization: basic('ann', 'wrong') });
      expect(wrong).to.match(/^unauthenticated: wrong token, or wrong name or password/);
      for (const other of [basic('nobody', 'wrong'), basic('web-1', 'wrong'), 'Bearer wrong']) {
        expect(await message({ store: 'blue', authorization: other })).to.equal(wrong);
      }
    });

    it(`stop at once over ${protocol.name}, also on connections that go on, when a reload takes them away`, async () => {
      const gateway = await start();
      const { settings } = gateway;
      const login: ClientOptions = { store: 'blue', authorization: `Bearer ${token}` };
      const before = await protocol.connect(portFor(protocol, gateway), login);
      const upload = putAll(before, newRef('lock'), makeObject('lock', 100));
      await upload;
      const taken: Record<string, Settings> = {
        removed: { principals: { ann: { access: { blue: 'full' } } } },
        expired: withWeb1({
          tokens: [{ sha256: tokenHash(token), expires: '2020-01-01' }],
          access: { blue: 'append' },
        }),
        replaced: withWeb1({ tokens: [tokenHash('another')], access: { blue: 'append' } }),
      };
      for (const [how, changes] of Object.entries(taken)) {
        await gateway.gateway.reload(testConfig({ ...settings, ...changes }));
        await expectFailure(listAll(before, 'lock'), 'unauthenticated');
        await expectFailure(putAll(before, newRef('lock'), makeObject('lock', 100)), 'unauthenticated');
        const { message } = await expectFailure(listing(protocol, gateway, login), 'unauthenticated');
        expect(message.includes('expired'), how).to.equal(how === 'expired');
      }
      const lowered = withWeb1({ tokens: [tokenHash(token)], access: { blue: 'read-only' } });
      await gateway.gateway.reload(testConfig({ ...settings, ...lowered }));
      expect(await listAll(before, 'lock')).to.have.length(1);
      await expectFailure(putAll(before, newRef('lock'), makeObject('lock', 100)), 'permission_denied');
      await before.close();
    });
  }

  it('are good only at the listeners that their principal may use', async () => {
    const one = { name: 'http', address: '127.0.0.1:0' };
    const gateway = await start({
      listen: [one, { ...one, name: 'http-2' }],
      'grpc-listen': [
        { ...one, name: 'grpc' },
        { ...one, name: 'grpc-2' },
      ],
      principals: {
        'web-1': { tokens: [tokenHash(token)], access: { blue: 'full' }, listeners: ['http', 'grpc-2'] },
      },
    });
    const login = { store: 'blue', authorization: `Bearer ${token}` };
    for (const protocol of clearProtocols) {
      const [good, bad] = protocol.frontend === 'http' ? [0, 1] : [1, 0];
      expect(await listing(protocol, gateway, login, good), protocol.name).to.deep.equal([]);
      const { message } = await expectFailure(listing(protocol, gateway, login, bad), 'permission_denied');
      expect(message).to.include('may not use this listener');
    }
  });
});

const withWeb1 = (principal: NonNullable<Settings['principals']>[string]): Settings => ({
  principals: { 'web-1': principal, ann: { access: { blue: 'full' } } },
});
