import { expect } from 'chai';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Settings } from '../../src/config/config.js';
import type { Store } from '../../src/core/store.js';
import { Authority, type Certificate } from '../support/certificate.js';
import type { ClientOptions } from '../support/client-options.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { GrpcStore } from '../support/grpc-store.js';
import { Http2Store } from '../support/http2-store.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { expectFailure, listAll, putAll } from '../support/store.js';
import { emptyStore, tempFolder } from '../support/temp.js';

type WithTls = ClientOptions & Required<Pick<ClientOptions, 'tls'>>;

const clients: Readonly<Record<string, (gateway: TestGateway, options: WithTls) => Store>> = {
  'HTTP 1.1': ({ httpPort }, options) => new HttpStore(httpPort, options),
  'HTTP/2': ({ httpPort }, options) => new Http2Store(httpPort, options),
  gRPC: ({ grpcPort }, options) => new GrpcStore(grpcPort, options),
};

describe('A gateway with TLS', function () {
  this.timeout(60_000);
  let authority: Authority;
  let settings: Settings;
  let trusted: Certificate;
  let gateway: TestGateway;
  let requiring: TestGateway;

  before(async () => {
    authority = await Authority.create();
    const server = await authority.issue();
    trusted = await authority.issue({ name: 'web-1', altNames: ['DNS:web-1.example.org'] });
    settings = {
      stores: { '': { location: await emptyStore(), anonymous: 'none' } },
      principals: {
        'web-1': { certificates: ['dns:web-1.example.org'], access: { '': 'append' } },
        ops: { certificates: ['cn:ops'], access: { '': 'full' }, listeners: ['http'] },
      },
      listen: [{ name: 'http', address: '127.0.0.1:0' }],
      'min-free-space': 0,
      cert: server.certFile,
      key: server.keyFile,
      'client-ca': authority.certFile,
    };
    gateway = await startTestGateway(undefined, settings);
    requiring = await startTestGateway(undefined, { ...settings, 'client-cert': 'required' });
  });

  after(() => Promise.all([gateway.close(), requiring.close()]));

  const identity = (own?: Certificate): WithTls => ({
    tls: { ca: authority.cert, ...(own && { cert: own.cert, key: own.key }) },
  });

  for (const [protocol, make] of Object.entries(clients)) {
    /** Lists states, and puts a lock, with a client that is made for it alone. */
    const use = async (at: TestGateway, options: WithTls): Promise<void> => {
      const store = make(at, options);
      try {
        expect(await listAll(store, 'state')).to.deep.equal([]);
        await putAll(store, newRef('lock'), makeObject('lock', 100));
      } finally {
        await store.close();
      }
    };

    it(`takes who shows a trusted certificate for its principal over ${protocol}`, async () => {
      await use(gateway, identity(trusted));
      await use(requiring, identity(trusted));
      const principals = gateway.log.filter(({ message }) => message === 'request').map(({ principal }) => principal);
      expect(principals.slice(-2)).to.deep.equal(['web-1', 'web-1']);
    });

    it(`says what is wrong with other certificates over ${protocol}, and takes nobody for nobody who shows one`, async () => {
      const stranger = await Authority.create();
      const refused = [
        [
          await authority.issue({ name: 'web-2', altNames: [] }),
          /belongs to no principal here: it has the names "cn:web-2"/,
        ],
        [await authority.issue({ name: 'web-1.example.org', altNames: [] }), /belongs to no principal here/],
        [await stranger.issue({ name: 'web-1', altNames: ['DNS:web-1.example.org'] }), /authority that this gateway/],
        [await authority.issue({ altNames: ['DNS:web-1.example.org'], days: -1 }), /it has expired/],
        [await authority.issue({ name: 'ops', altNames: ['DNS:web-1.example.org'] }), /belongs to several principals/],
      ] as const;
      for (const [certificate, text] of refused) {
        const { message } = await expectFailure(use(gateway, identity(certificate)), 'unauthenticated');
        expect(message).to.match(text);
      }
    });

    it(`asks who shows none to log in over ${protocol}, and goes by what is sent where both are`, async () => {
      await expectFailure(use(gateway, identity()), 'unauthenticated');
      const { message } = await expectFailure(
        use(gateway, { ...identity(trusted), authorization: 'Bearer wrong' }),
        'unauthenticated',
      );
      expect(message).to.include('wrong token');
    });

    it(`turns away who shows none that is trusted where one is required, over ${protocol}`, async () => {
      const expired = await authority.issue({ altNames: ['DNS:web-1.example.org'], days: -1 });
      const foreign = await (await Authority.create()).issue({ altNames: ['DNS:web-1.example.org'] });
      for (const own of [undefined, expired, foreign]) {
        const error: unknown = await use(requiring, identity(own)).catch((caught: unknown) => caught);
        expect(error).to.be.an('error');
      }
      expect(
        requiring.log.filter(({ message }) => message === 'request').map(({ status }) => String(status)),
      ).to.satisfy((all: string[]) => all.every((status) => status === '200' || status === 'OK'));
    });
  }

  it('trusts what an authority has issued that is no root, beside its root, and says so where that is missing', async () => {
    const issuing = await authority.issueAuthority('issuing authority');
    const own = await issuing.issue({ name: 'web-1', altNames: ['DNS:web-1.example.org'] });
    const alone = startTestGateway(undefined, { ...settings, 'client-ca': issuing.certFile });
    const error = (await alone.catch((caught: unknown) => caught)) as Error;
    expect(error.message).to.match(
      /authority CN=issuing authority, and not that of its issuer, CN=test authority: add/,
    );
    const both = join(await tempFolder(), 'both.pem');
    await writeFile(both, Buffer.concat([issuing.cert, authority.cert]));
    const other = await startTestGateway(undefined, { ...settings, 'client-ca': both });
    try {
      for (const make of Object.values(clients)) {
        const store = make(other, identity(own));
        expect(await listAll(store, 'state')).to.deep.equal([]);
        await store.close();
      }
    } finally {
      await other.close();
    }
  });

  it('lets a principal use its certificate only at its listeners', async () => {
    const ops = identity(await authority.issue({ name: 'ops', altNames: [] }));
    const [http, grpc] = [new Http2Store(gateway.httpPort, ops), new GrpcStore(gateway.grpcPort, ops)];
    expect(await listAll(http, 'state')).to.deep.equal([]);
    await expectFailure(listAll(grpc, 'state'), 'permission_denied');
    await Promise.all([http.close(), grpc.close()]);
  });

  it('speaks nothing older than TLS 1.2', async () => {
    for (const port of [gateway.httpPort, gateway.grpcPort]) {
      const outcome = (version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2'): Promise<string> =>
        // Without this, OpenSSL doesn't even offer the old ones.
        handshake({ port, minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' });
      expect(await outcome('TLSv1.1')).to.match(/^ERR_SSL_|^ECONNRESET/);
      expect(await outcome('TLSv1')).to.match(/^ERR_SSL_|^ECONNRESET/);
      expect(await outcome('TLSv1.2')).to.equal('TLSv1.2');
    }
  });

  it('ends what is in the clear where TLS is spoken, and TLS where it is not, and goes on', async () => {
    const plain = await startTestGateway(await emptyStore());
    const hello = 'GET / HTTP/1.1\r\nHost: gateway\r\n\r\n';
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
    for (const port of [gateway.httpPort, gateway.grpcPort]) {
      for (const bytes of [hello, preface, '\0'.repeat(100), '\x16\x03\x01\xff\xff']) {
        // TLS answers with an alert (record type 21) at most, and HTTP without TLS is told so.
        const isHttp = port === gateway.httpPort && bytes === hello;
        const expected = isHttp ? /^HTTP\/1\.1 400 Bad Request\r\n.*this port speaks TLS/s : /^(\x15.*)?$/s;
        expect(await answerTo(port, bytes), JSON.stringify(bytes)).to.match(expected);
      }
    }
    for (const port of [plain.httpPort, plain.grpcPort]) expect(await handshake({ port })).to.match(/^E/);
    const client = new HttpStore(plain.httpPort);
    expect(await listAll(client, 'state')).to.deep.equal([]);
    await Promise.all([client.close(), plain.close()]);
    const secure = new Http2Store(gateway.httpPort, identity(trusted));
    expect(await listAll(secure, 'state')).to.deep.equal([]);
    await secure.close();
    expect(gateway.log.filter(({ level }) => level === 'error')).to.deep.equal([]);
  });
});

/** What becomes of a handshake: the version that was agreed on, or the code of the error. */
async function handshake(options: ConnectionOptions): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'], ...options });
  try {
    await once(socket, 'secureConnect');
    return String(socket.getProtocol());
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  } finally {
    socket.destroy();
  }
}

/** All that comes for these bytes, before the gateway closes the connection. */
async function answerTo(port: number, bytes: string): Promise<string> {
  const socket = connectPlain({ port, host: '127.0.0.1' });
  socket.end(bytes, 'latin1');
  socket.on('error', () => undefined);
  let answer = '';
  socket.on('data', (data: Buffer) => (answer += data.toString('latin1')));
  await once(socket, 'close');
  return answer;
}
