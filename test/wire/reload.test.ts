import { expect } from 'chai';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { tokenDigest } from '../../src/auth/tokens.js';
import type { Settings } from '../../src/config/config.js';
import type { Store } from '../../src/core/store.js';
import { Authority, type Certificate } from '../support/certificate.js';
import { startTestGateway, testConfig, type TestGateway } from '../support/gateway.js';
import { GrpcStore } from '../support/grpc-store.js';
import { Http2Store } from '../support/http2-store.js';
import { HttpStore } from '../support/http-store.js';
import { inChunks, makeObject, newRef } from '../support/objects.js';
import { PlakarStore } from '../support/plakar-store.js';
import { expectFailure, failure, getAll, listAll, putAll, readAll } from '../support/store.js';
import { emptyStore, tempFolder } from '../support/temp.js';
import { untilOpenFiles } from './support/folders.js';
import { ask } from './support/raw-http.js';

const MiB = 1024 * 1024;

const reloads = 20;

const tokenOf = (name: string): string => `token-of-${name}`;
const login = { store: 'blue', authorization: `Bearer ${tokenOf('ann')}` };

const principal = (name: string, access: Record<string, 'append' | 'full'>): Record<string, object> => ({
  [name]: { tokens: [`sha256:${tokenDigest(tokenOf(name))}`], access },
});

describe('A gateway that takes on another configuration', function () {
  this.timeout(60_000);
  let authority: Authority;
  let certificates: readonly Certificate[];
  let folders: { readonly blue: string; readonly green: string };
  let own: { readonly cert: string; readonly key: string };
  let gateway: TestGateway;
  let httpsPort: number;
  const clients: Store[] = [];

  before(async () => {
    authority = await Authority.create();
    const altNames = ['DNS:localhost', 'IP:127.0.0.1'];
    certificates = [await authority.issue({ altNames }), await authority.issue({ altNames })];
  });

  beforeEach(async () => {
    folders = { blue: await emptyStore(), green: await emptyStore() };
    const folder = await tempFolder();
    own = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    await useCertificate(0);
    gateway = await startTestGateway(undefined, settings());
    const [, https] = gateway.gateway.http;
    httpsPort = https !== undefined && 'port' in https ? https.port : NaN;
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    await gateway.close();
  });

  function settings(changes: Settings = {}): Settings {
    return {
      stores: { blue: { location: folders.blue }, green: { location: folders.green } },
      principals: principal('ann', { blue: 'full', green: 'full' }),
      listen: [
        { name: 'plain', address: '127.0.0.1:0', tls: false },
        { name: 'tls', address: '127.0.0.1:0', tls: true },
      ],
      'grpc-listen': [{ name: 'grpc', address: '127.0.0.1:0', tls: false }],
      'min-free-space': 0,
      durability: 'none',
      ...own,
      ...changes,
    };
  }

  const reload = (changes: Settings = {}): Promise<void> => gateway.gateway.reload(testConfig(settings(changes)));

  async function useCertificate(index: number): Promise<void> {
    const { certFile, keyFile } = certificates[index % 2] as Certificate;
    await copyFile(certFile, own.cert);
    await copyFile(keyFile, own.key);
  }

  function open<T extends Store>(client: T): T {
    clients.push(client);
    return client;
  }

  /** Something else each time: principals, stores, a quota, limits, a listener, the certificate. */
  async function another(round: number): Promise<void> {
    const odd = round % 2 === 1;
    if (round % 5 === 0) await useCertificate(round);
    const { listen, principals, stores } = settings();
    await reload({
      principals: { ...principals, ...(odd && principal(`round-${round}`, { '*': 'append' })) },
      stores: {
        ...stores,
        blue: { location: folders.blue, ...(round % 4 > 1 && { quota: `${round + 100}GiB` }) },
        ...(odd ? { extra: { location: folders.green } } : {}),
      },
      'max-requests': 100 + round,
      'max-uploads': 50 + round,
      'max-streams': 100 + round,
      'stall-timeout': `${30 + round}s`,
      listen: [...(listen as object[] as []), ...(odd ? [{ name: 'extra', address: '127.0.0.1:0', tls: false }] : [])],
      ...(odd && { 'no-http-v1.0': true }),
    });
  }

  it('serves on without one failed request on connections that stay, and on new ones', async () => {
    const tls = { ca: authority.cert };
    const all: Record<string, Store> = {
      'HTTP 1.1': open(new HttpStore(gateway.httpPort, login)),
      'HTTP 1.1 on another connection': open(new HttpStore(gateway.httpPort, login)),
      'HTTP/2': open(new Http2Store(httpsPort, { ...login, tls })),
      gRPC: open(new GrpcStore(gateway.grpcPort, login)),
      "plakar's gRPC": open(await PlakarStore.open(gateway.grpcPort, { location: 'grpc://gateway/blue' }, login)),
    };
    const served: Record<string, number> = {};
    const failed: string[] = [];
    let done = false;
    const load = async (name: string, client: Store): Promise<void> => {
      const known = newRef('packfile');
      const bytes = makeObject('packfile', 300_000, name);
      await putAll(client, known, bytes);
      for (let i = 0; !done; i++) {
        served[name] = i;
        try {
          expect((await getAll(client, known)).equals(bytes)).to.equal(true);
          await putAll(client, newRef('state'), makeObject('state', 1000 + i));
          if (i % 10 === 0) expect(await listAll(client, 'packfile')).to.include(known.mac);
        } catch (error) {
          failed.push(`${name}: ${String(error)}`);
        }
      }
    };
    const newOnes = async (): Promise<void> => {
      for (let i = 0; !done; i++) {
        served['new ones'] = i;
        try {
          const headers = { Authorization: login.authorization };
          const { status } = await ask(gateway.httpPort, 'GET', '/blue/resources/locks', headers);
          if (status !== 200) failed.push(`a new one: ${status}`);
          const secure = new Http2Store(httpsPort, { ...login, tls });
          await listAll(secure, 'lock');
          await secure.close();
        } catch (error) {
          failed.push(`a new one: ${String(error)}`);
        }
      }
    };
    const loads = [...Object.entries(all).map(([name, client]) => load(name, client)), newOnes()];
    for (let round = 1; round <= reloads; round++) {
      const before = { ...served };
      await another(round);
      // Until everybody was served under it.
      const behind = (): boolean => Object.keys(served).some((name) => (served[name] ?? 0) <= (before[name] ?? 0) + 1);
      while (failed.length === 0 && behind()) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    done = true;
    await Promise.all(loads);
    expect(failed).to.deep.equal([]);
    expect(Object.keys(served)).to.have.length(6);
    expect(gateway.log.filter(({ level }) => level !== 'info')).to.deep.equal([]);
    expect(gateway.log.filter(({ message }) => message.includes('was reloaded'))).to.have.length(reloads);
  });

  for (const kind of ['a local store', "another gateway's store"] as const) {
    it(`lets downloads and uploads of ${kind} that is gone finish, and begins no others`, async () => {
      const inner =
        kind === 'a local store' ? undefined : await startTestGateway(folders.green, { 'allow-write': true });
      const location = inner === undefined ? folders.green : `grpc://127.0.0.1:${inner.grpcPort}`;
      const stores = { blue: { location: folders.blue }, green: { location } };
      const green = { ...login, store: 'green' };
      const ref = newRef('state');
      const bytes = makeObject('state', 32 * MiB);
      for (const client of [
        open(new HttpStore(gateway.httpPort, green)),
        open(new GrpcStore(gateway.grpcPort, green)),
      ] as const) {
        await reload({ stores });
        await putAll(client, ref, bytes);
        const read = await client.get(ref, undefined);
        const uploaded = newRef('state');
        let go = (): void => undefined;
        const gone = new Promise<void>((resolve) => (go = resolve));
        async function* body(): AsyncGenerator<Uint8Array> {
          yield bytes.subarray(0, MiB);
          await gone;
          yield* inChunks(bytes.subarray(MiB));
        }
        const upload = client.put(uploaded, body());
        await untilOpenFiles(2, folders.green);
        await reload({
          stores: { blue: { location: folders.blue } },
          principals: principal('ann', { blue: 'full' }),
        });
        await expectFailure(listAll(client, 'state'), 'permission_denied');
        go();
        await upload;
        expect((await readAll(read)).equals(bytes)).to.equal(true);
        await reload({ stores });
        expect(await listAll(client, 'state')).to.include.members([ref.mac, uploaded.mac]);
      }
      await inner?.close();
    });
  }

  it('listens where it is to listen from then on, and lets nobody do anything through a listener that is gone', async () => {
    const { listen } = settings();
    const extra = { name: 'extra', address: '127.0.0.1:0', tls: false };
    await reload({ listen: [...(listen as object[] as []), extra] });
    const [, , address] = gateway.gateway.http;
    const port = address !== undefined && 'port' in address ? address.port : NaN;
    const client = open(new HttpStore(port, login));
    expect(await listAll(client, 'state')).to.deep.equal([]);
    await reload();
    expect(gateway.gateway.http).to.have.length(2);
    // Its connections stay, and are told.
    const { message } = await expectFailure(listAll(client, 'state'), 'permission_denied');
    expect(message).to.equal('this listener gives access to no store');
    const refused = await ask(port, 'GET', '/healthz').catch((error: { code?: string }) => error.code);
    expect(refused).to.equal('ECONNREFUSED');
  });

  it('shows a new certificate to those who come from then on', async () => {
    const serialOf = async (): Promise<string> => {
      const socket = connectTls({ port: httpsPort, host: '127.0.0.1', ca: authority.cert, servername: 'localhost' });
      await once(socket, 'secureConnect');
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    const first = await serialOf();
    const client = open(new Http2Store(httpsPort, { ...login, tls: { ca: authority.cert } }));
    expect(await listAll(client, 'state')).to.deep.equal([]);
    await useCertificate(1);
    expect(await serialOf()).to.equal(first);
    await reload();
    expect(await serialOf()).to.not.equal(first);
    expect(await listAll(client, 'state')).to.deep.equal([]);
  });

  it('stays as it was where the other one can not be had, whatever is wrong with it', async () => {
    const { listen } = settings();
    const blue = open(new HttpStore(gateway.httpPort, login));
    await putAll(blue, newRef('state'), makeObject('state', 100));
    const wrong: Record<string, readonly [Settings, RegExp]> = {
      'a store that is none': [
        { stores: { blue: { location: folders.blue }, bad: { location: '/nonexistent' } } },
        /\/nonexistent is not a Kloset store/,
      ],
      'a certificate that is none': [{ cert: join(folders.blue, 'CONFIG') }, /the TLS certificate .*CONFIG/],
      'a port that is taken': [
        { listen: [...(listen as object[] as []), `127.0.0.1:${gateway.grpcPort}`] },
        /can't listen on 127\.0\.0\.1:\d+: .*another program has this port/,
      ],
      'an htpasswd file that is none': [{ htpasswd: '/nonexistent' }, /\/nonexistent/],
      'an audit log that can not be written': [{ 'audit-log': '/nonexistent/audit.log' }, /audit log/],
    };
    for (const [what, [changes, message]] of Object.entries(wrong)) {
      const error: unknown = await reload({
        ...changes,
        principals: principal('bob', { blue: 'full' }),
      }).catch((thrown: unknown) => thrown);
      expect(String(error), what).to.match(message);
      expect(await listAll(blue, 'state'), what).to.have.length(1);
      const bob = open(new HttpStore(gateway.httpPort, { store: 'blue', authorization: `Bearer ${tokenOf('bob')}` }));
      expect((await failure(listAll(bob, 'state'))).code, what).to.equal('unauthenticated');
      expect(gateway.gateway.http, what).to.have.length(2);
    }
  });
});
