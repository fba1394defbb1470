import { credentials, makeClientConstructor, type ServiceDefinition } from '@grpc/grpc-js';
import { expect } from 'chai';
import { service } from 'grpc-health-check';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { formatAddress } from '../../src/core/address.js';
import { startTestGateway } from '../support/gateway.js';
import { makeObject, newRef } from '../support/objects.js';
import { eventually } from '../support/store.js';
import { emptyStore, tempFolder } from '../support/temp.js';
import { killProcesses, startProcess } from './support/process.js';
import { ask, put } from './support/raw-http.js';

describe('/readyz', () => {
  afterEach(killProcesses);

  it('is answered on every HTTP and admin listener, to anybody, by whether the store answers now', async () => {
    const folder = await emptyStore();
    const { gateway, httpPort, close } = await startTestGateway(folder, { 'admin-listen': ['127.0.0.1:0'] });
    const ports = [String(httpPort), formatAddress(gateway.admin[0] ?? { path: '' }).split(':')[1]].map(Number);
    const statuses = (): Promise<number[]> =>
      Promise.all(ports.map(async (port) => (await ask(port, 'GET', '/readyz')).status));
    try {
      expect(await statuses()).to.deep.equal([200, 200]);
      expect((await ask(httpPort, 'GET', '/readyz')).body.toString()).to.equal('ready\n');
      expect((await ask(httpPort, 'HEAD', '/readyz')).status).to.equal(200);
      await rename(join(folder, 'CONFIG'), join(folder, 'away'));
      await eventually(async () => String(await statuses()) === '503,503', 'the store is missed');
      expect((await ask(httpPort, 'GET', '/healthz')).status).to.equal(200);
      await rename(join(folder, 'away'), join(folder, 'CONFIG'));
      await eventually(async () => String(await statuses()) === '200,200', 'the store is back');
    } finally {
      await close();
    }
  });

  it('says yes without a store that is optional', async () => {
    const { httpPort, close } = await startTestGateway(undefined, {
      stores: {
        blue: { location: await emptyStore() },
        green: { location: join(await tempFolder(), 'not-mounted'), optional: true },
      },
    });
    expect((await ask(httpPort, 'GET', '/readyz')).status).to.equal(200);
    await close();
  });

  for (const workers of ['1', '2']) {
    it(`says no from SIGTERM on, while ${workers} process${workers === '1' ? ' serves' : 'es serve'} everything for the time of shutdown-delay`, async () => {
      // Longer than this test's timeout: a second signal ends it.
      const options = ['--allow-write', '--shutdown-delay', '10m', '--workers', workers];
      const gateway = await startProcess(await emptyStore(), options);
      const { httpPort } = gateway;
      expect([(await ask(httpPort, 'GET', '/readyz')).status, await grpcHealth(gateway.grpcPort)]).to.deep.equal([
        200,
        'SERVING',
      ]);
      gateway.signal('SIGTERM');
      await eventually(async () => {
        const answers = await Promise.all(Array.from({ length: 8 }, () => ask(httpPort, 'GET', '/readyz')));
        return answers.every(({ status, body }) => status === 503 && body.toString() === 'stopping\n');
      }, 'it says that it stops');
      await eventually(async () => (await grpcHealth(gateway.grpcPort)) === 'NOT_SERVING', 'over gRPC, too');
      const ref = newRef('packfile');
      const path = `/resources/packfiles/${ref.mac}`;
      expect((await put(httpPort, path, makeObject('packfile', 1000))).status).to.equal(200);
      expect((await ask(httpPort, 'GET', path)).status).to.equal(200);
      gateway.signal('SIGTERM');
      expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
    });
  }

  it('does not keep a gateway from stopping by itself when the delay is over', async () => {
    const gateway = await startProcess(await emptyStore(), ['--shutdown-delay', '100ms']);
    gateway.signal('SIGTERM');
    expect(await gateway.exited).to.deep.equal({ code: 0, signal: null });
    const messages = gateway.log.map(({ msg }) => msg);
    expect(messages).to.include(
      'SIGTERM: serving for another 0.1 s, then waiting up to 30 s for running requests; send it again to stop at once',
    );
  });
});

const HealthClient = makeClientConstructor(service as ServiceDefinition, 'Health');

/** What the health service says of the whole server. */
async function grpcHealth(port: number): Promise<string> {
  const client = new HealthClient(`127.0.0.1:${port}`, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      const check = client['check'] as (
        request: object,
        done: (error: Error | null, answer?: { status: string }) => void,
      ) => void;
      check.call(client, { service: '' }, (error, answer) =>
        error === null ? resolve(answer?.status ?? '') : reject(error),
      );
    });
  } finally {
    client.close();
  }
}
