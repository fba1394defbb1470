import { hashSync } from 'bcryptjs';
import { expect } from 'chai';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenDigest } from '../../src/auth/tokens.js';
import type { Settings } from '../../src/config/config.js';
import type { Store } from '../../src/core/store.js';
import type { ClientOptions } from '../support/client-options.js';
import { startTestGateway, testConfig, type TestGateway } from '../support/gateway.js';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { HttpV10Store } from '../support/http-v1.0-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { PlakarStore } from '../support/plakar-store.js';
import { ctx, eventually, expectFailure, failure, listAll, putAll } from '../support/store.js';
import { emptyStore, tempFolder } from '../support/temp.js';
import { ask, RawHttp, requestHead } from './support/raw-http.js';

const token = 'kgw_token-of-web-1';
const password = 'pässword: with a colon';
const basic = (name: string, secret: string): string => `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
const tokenHash = (text: string): string => `sha256:${tokenDigest(text)}`;

type Connect = (gateway: TestGateway, options: ClientOptions) => Store | Promise<Store>;

const clients: Readonly<Record<string, Connect>> = {
  'HTTP 1.1': ({ httpPort }, options) => new HttpStore(httpPort, options),
  'HTTP 1.0': ({ httpPort }, options) => new HttpV10Store(httpPort, options),
  gRPC: ({ grpcPort }, options) => new GrpcStore(grpcPort, options),
  "plakar's gRPC": ({ grpcPort }, options) =>
    PlakarStore.open(grpcPort, { location: `grpc://gateway/${options.store ?? ''}` }, options),
};

describe('Credentials', function () {
  this.timeout(60_000);
  const gateways: TestGateway[] = [];

  afterEach(async () => {
    for (const each of gateways.splice(0)) await each.close();
  });

  async function start(changes: Settings = {}): Promise<TestGateway & { settings: Settings }> {
    const folder = await tempFolder();
    const htpasswd = join(folder, 'htpasswd');
    await writeFile(htpasswd, `ann:${hashSync(password, 4)}\n`, { mode: 0o600 });
    const settings: Settings = {
      stores: { blue: { location: await emptyStore() }, green: { location: await emptyStore() } },
      principals: {
        'web-1': { tokens: [tokenHash(token)], access: { blue: 'append' } },
        ann: { access: { blue: 'full' } },
      },
      htpasswd,
      'audit-log': join(folder, 'audit.log'),
      'min-free-space': 0,
      ...changes,
    };
    const gateway = await startTestGateway(undefined, settings);
    gateways.push(gateway);
    return { ...gateway, settings };
  }

  for (const [protocol, connect] of Object.entries(clients)) {
    const right = {
      'a bearer token': `Bearer ${token}`,
      "a token as Basic's password, with its principal's name": basic('web-1', token),
      "a token as Basic's password, without a name": basic('', token),
      'the password of an htpasswd file': basic('ann', password),
    };
    it(`log in over ${protocol}, in each form, and wrong ones do not`, async () => {
      const gateway = await start();
      for (const [what, authorization] of Object.entries(right)) {
        const store = await connect(gateway, { store: 'blue', authorization });
        expect(await listAll(store, 'state'), what).to.deep.equal([]);
        await putAll(store, newRef('lock'), makeObject('lock', 100));
        await store.close();
      }
      for (const authorization of [`Bearer ${token}x`, basic('ann', token), basic('web-1', password), 'Digest x']) {
        await expectFailure(listing(connect, gateway, { store: 'blue', authorization }), 'unauthenticated');
      }
    });

    it(`tell nobody over ${protocol} which stores and which names there are`, async () => {
      const gateway = await start();
      const message = async (options: ClientOptions): Promise<string> => {
        const { code, message: text } = await failure(listing(connect, gateway, options));
        return `${code}: ${text.replaceAll(options.store ?? '', 'STORE')}`;
      };
      const authorization = `Bearer ${token}`;
      const without = await message({ store: 'green', authorization });
      expect(without).to.match(/^permission_denied: no access to a store "STORE"/);
      expect(await message({ store: 'nowhere', authorization })).to.equal(without);
      const nobody = await message({ store: 'green' });
      expect(nobody).to.match(/^unauthenticated: log in to use a store "STORE"/);
      for (const store of ['blue', 'nowhere']) expect(await message({ store })).to.equal(nobody);
      const wrong = await message({ store: 'blue', authorization: basic('ann', 'wrong') });
      expect(wrong).to.match(/^unauthenticated: wrong token, or wrong name or password/);
      for (const other of [basic('nobody', 'wrong'), basic('web-1', 'wrong'), 'Bearer wrong']) {
        expect(await message({ store: 'blue', authorization: other })).to.equal(wrong);
      }
    });

    it(`stop at once over ${protocol}, also on connections that go on, when a reload takes them away`, async () => {
      const gateway = await start();
      const { settings } = gateway;
      const login: ClientOptions = { store: 'blue', authorization: `Bearer ${token}` };
      const before = await connect(gateway, login);
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
        const { message } = await expectFailure(listing(connect, gateway, login), 'unauthenticated');
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
    const at = (index: number): TestGateway => {
      const portOf = (protocol: 'http' | 'grpc'): number => (gateway.gateway[protocol][index] as { port: number }).port;
      return { ...gateway, httpPort: portOf('http'), grpcPort: portOf('grpc') };
    };
    const login = { store: 'blue', authorization: `Bearer ${token}` };
    for (const [protocol, connect] of Object.entries(clients)) {
      const [good, bad] = protocol.startsWith('HTTP') ? [at(0), at(1)] : [at(1), at(0)];
      expect(await listing(connect, good, login), protocol).to.deep.equal([]);
      const { message } = await expectFailure(listing(connect, bad, login), 'permission_denied');
      expect(message).to.include('not from this address');
    }
  });

  it('are in no log, no audit log and no answer, wherever they were sent', async () => {
    const gateway = await start();
    const { httpPort, log, settings } = gateway;
    const secrets = [
      token,
      password,
      'wrong-secret',
      'c2VjcmV0',
      basic('ann', password).slice(6),
      encodeURIComponent(password),
    ];
    const answers: string[] = [];
    const paths = [
      '/blue',
      '/green/resources/states',
      '/nowhere',
      `/blue/resources/packfiles/${newRef('packfile').mac}`,
    ];
    for (const path of paths) {
      for (const target of [
        `${path}?token=${token}&auth_token=wrong-secret&password=${encodeURIComponent(password)}`,
        `http://ann:${encodeURIComponent(password)}@gateway${path}#${token}`,
        `${path}?${basic('ann', password).slice(6)}`,
      ]) {
        for (const authorization of [`Bearer ${token}`, basic('ann', password), undefined]) {
          for (const method of ['GET', 'PUT', 'DELETE']) {
            const { headers, body } = await ask(httpPort, method, target, {
              ...(authorization !== undefined && { Authorization: authorization }),
              'Content-Length': '0',
              'Proxy-Authorization': `Bearer ${token}`,
              Cookie: `token=${token}`,
              Referer: `http://ann:wrong-secret@elsewhere/?${token}`,
            });
            answers.push(JSON.stringify(headers), body.toString());
          }
        }
      }
    }
    // No more than are answered at once.
    const wrong = ['Bearer wrong-secret', basic('ann', 'wrong-secret'), `Basic ${token}`, `${token} x`];
    for (const [i, connect] of Object.values(clients).entries()) {
      const options = { store: 'blue', authorization: wrong[i] ?? '' };
      answers.push((await expectFailure(listing(connect, gateway, options), 'unauthenticated')).message);
    }
    answers.push(await sent(httpPort, `GET /blue HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer ${token}\r\n\r\n`));
    answers.push(await sent(httpPort, `BREW /${token}?${token} HTTP/9\r\nAuthorization: Bearer ${token}\r\n\r\n`));
    await putAll(
      new GrpcStore(gateway.grpcPort, { store: 'blue', authorization: basic('ann', password) }),
      newRef('lock'),
      makeObject('lock', 100),
    );
    const audit = await eventually(async () => {
      const text = await readFile(String(settings['audit-log']), 'utf8');
      return text.includes('created') && text;
    }, 'the audit log has all');
    expect(audit).to.include('"login"');
    expect(log.length).to.be.above(100);
    for (const secret of secrets) {
      expect(JSON.stringify(log)).to.not.include(secret);
      expect(audit).to.not.include(secret);
      expect(answers.join('\n')).to.not.include(secret);
    }
  });
});

const withWeb1 = (principal: NonNullable<Settings['principals']>[string]): Settings => ({
  principals: { 'web-1': principal, ann: { access: { blue: 'full' } } },
});

/** Lists states with a client that is made for it alone. */
async function listing(connect: Connect, gateway: TestGateway, options: ClientOptions): Promise<string[]> {
  const store = await connect(gateway, options);
  try {
    return await listAll(store, 'state');
  } finally {
    await store.close();
  }
}

/** What comes back for bytes. */
async function sent(port: number, bytes: string): Promise<string> {
  const connection = await RawHttp.connect(port);
  await connection.send(bytes);
  return (await connection.untilClosed()).toString();
}
