import { credentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { request } from 'node:http';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type ListenOptions, type Server } from 'node:net';
import { join } from 'node:path';
import { ObjectKind, StoreServiceClient } from '../../gen/kloset/store/v1/store.js';
import { tokenDigest } from '../../src/auth/tokens.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { fromStatus, GrpcStore, unary, wireRef } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { expectFailure, listAll, putAll } from '../support/store.js';
import { emptyStore, tempFolder } from '../support/temp.js';
import { killProcesses, startProcess } from './support/process.js';

const authorization = 'Bearer token-of-operator';

/** One request over a unix socket. Resolves to its status and body. */
function askUnix(socketPath: string, method: string, path: string, body?: Uint8Array): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers: { authorization } }, (answer) => {
      let text = '';
      answer.on('data', (data: Buffer) => (text += data.toString()));
      answer.on('end', () => resolve([answer.statusCode ?? 0, text]));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('A gateway on unix sockets', () => {
  let paths: { readonly http: string; readonly grpc: string };
  let gateway: TestGateway;
  let client: StoreServiceClient;

  beforeEach(async () => {
    const folder = await tempFolder();
    paths = { http: join(folder, 'http.sock'), grpc: join(folder, 'grpc.sock') };
    gateway = await startTestGateway(undefined, {
      stores: { '': { location: await emptyStore() } },
      principals: {
        operator: { tokens: [`sha256:${tokenDigest('token-of-operator')}`], access: { '*': 'full' } },
      },
      listen: [
        { name: 'network', address: '127.0.0.1:0', 'max-access': 'append' },
        { name: 'here', address: `unix:${paths.http}`, mode: '0640' },
      ],
      'grpc-listen': [`unix:${paths.grpc}`],
      'min-free-space': 0,
    });
    client = new StoreServiceClient(`unix:${paths.grpc}`, credentials.createInsecure());
  });

  afterEach(async () => {
    client.close();
    await gateway.close();
  });

  it('lets those use it whom the files permit, over both protocols, and leaves no file behind', async () => {
    expect((await stat(paths.http)).mode & 0o777).to.equal(0o640);
    expect((await stat(paths.grpc)).mode & 0o777).to.equal(0o600);
    const ref = newRef('state');
    const path = `/resources/states/${ref.mac}`;
    expect(await askUnix(paths.http, 'GET', '/healthz')).to.deep.equal([200, 'ok\n']);
    expect(await askUnix(paths.http, 'PUT', path, makeObject('state', 100))).to.deep.equal([200, '']);
    const { status } = await unary<{ status: number }>((done) =>
      client.makeUnaryRequest(
        '/grpc.health.v1.Health/Check',
        (): Buffer => Buffer.alloc(0),
        (bytes: Buffer) => ({ status: bytes[1] ?? 0 }),
        {},
        done as never,
      ),
    );
    expect(status).to.equal(1); // SERVING
    const refused = await unary((done) => client.statObject({ store: '', ref: wireRef(ref) }, done)).catch(fromStatus);
    expect(refused).to.include({ code: 'unauthenticated' });
    const callers = gateway.log.filter(({ message }) => message === 'request').map(({ caller }) => caller);
    expect(new Set(callers)).to.deep.equal(new Set(['unix socket']));
    await gateway.close();
    expect([existsSync(paths.http), existsSync(paths.grpc)]).to.deep.equal([false, false]);
  });

  it('may let them delete what the same person may only add to from the network', async () => {
    const ref = newRef('packfile');
    const path = `/resources/packfiles/${ref.mac}`;
    const fromNetwork = new HttpStore(gateway.httpPort, { authorization });
    await putAll(fromNetwork, ref, makeObject('packfile', 100));
    const { message } = await expectFailure(fromNetwork.delete(ref), 'permission_denied');
    expect(message).to.match(/address|listener/);
    expect(await listAll(fromNetwork, 'packfile')).to.deep.equal([ref.mac]);
    expect(await askUnix(paths.http, 'DELETE', path)).to.deep.equal([200, '']);
    expect(await listAll(fromNetwork, 'packfile')).to.deep.equal([]);
    await fromNetwork.close();
  });

  it('asks for a login there as well', async () => {
    const listed = new Promise((_, reject) =>
      client
        .listObjects({ store: '', kind: ObjectKind.OBJECT_KIND_STATE, withDetails: false })
        .on('data', () => undefined)
        .on('error', reject),
    );
    await expectFailure(
      listed.catch((error: unknown) => Promise.reject(fromStatus(error) as Error)),
      'unauthenticated',
    );
  });
});

describe('The program, started by systemd with its sockets', function () {
  this.timeout(60_000);
  const servers: Server[] = [];

  afterEach(async () => {
    await killProcesses();
    for (const server of servers.splice(0)) server.close();
  });

  async function listening(options: ListenOptions): Promise<{ descriptor: number; server: Server }> {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(options, resolve));
    // Node has no public way to it.
    const { fd: descriptor } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle;
    return { descriptor, server };
  }

  it('serves both protocols on them, each on the one of its name', async () => {
    const address = { host: '127.0.0.1', port: 0 };
    const sockets = [await listening(address), await listening(address)];
    const names = ['grpc', 'http'];
    const options = [await emptyStore(), '--listen', 'systemd:http', '--grpc-listen', 'systemd:grpc'];
    const gateway = await startProcess(undefined, [...options, '--allow-write', '--min-free-space', '0'], {
      wrapper: ['sh', '-c', 'LISTEN_PID=$$ exec "$0" "$@"'],
      env: { LISTEN_FDS: '2', LISTEN_FDNAMES: names.join(':') },
      descriptors: sockets.map(({ descriptor }) => descriptor),
    });
    const ports = sockets.map(({ server }) => (server.address() as { port: number }).port);
    expect([gateway.grpcPort, gateway.httpPort]).to.deep.equal(ports);
    // From now on only the program accepts.
    for (const { server } of sockets) server.close();
    const [http, grpc] = [new HttpStore(gateway.httpPort), new GrpcStore(gateway.grpcPort)] as const;
    const [one, other] = [newRef('state'), newRef('state')];
    await putAll(http, one, makeObject('state', 100));
    await putAll(grpc, other, makeObject('state', 100));
    for (const store of [http, grpc]) {
      expect((await listAll(store, 'state')).sort()).to.deep.equal([one.mac, other.mac].sort());
      await store.close();
    }
    gateway.signal('SIGTERM');
    expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
  });

  it('refuses to let everybody write on one that others can reach', async () => {
    const { descriptor } = await listening({ host: '0.0.0.0', port: 0 });
    const options = [await emptyStore(), '--listen', 'systemd', '--grpc-listen', 'off', '--allow-write'];
    const failure: unknown = await startProcess(undefined, options, {
      wrapper: ['sh', '-c', 'LISTEN_PID=$$ exec "$0" "$@"'],
      env: { LISTEN_FDS: '1' },
      descriptors: [descriptor],
    }).catch((error: unknown) => error);
    expect(String(failure)).to.match(/systemd.*no-auth/s);
  });
});
