import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { credentials } from '@grpc/grpc-js';
import { StoreServiceClient } from '../gen/kloset/store/v1/store.js';
import { formatAddress } from '../src/core/address.js';
import { startTestGateway } from './support/gateway.js';
import { unary } from './support/grpc-store.js';
import { emptyStore, tempFolder } from './support/temp.js';

function statusOf(options: { host?: string; port?: number; socketPath?: string }): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ ...options, path: '/resources/states', agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('listening', () => {
  it('means every loopback address by localhost, on one port', async () => {
    const { gateway, httpPort, close } = await startTestGateway(await emptyStore(), { listen: ['localhost:0'] });
    const addresses = gateway.http.map(formatAddress);
    expect(addresses[0]).to.equal(`127.0.0.1:${httpPort}`);
    if (addresses.length > 1) expect(addresses[1]).to.equal(`[::1]:${httpPort}`);
    for (const address of gateway.http) if ('host' in address) expect(await statusOf(address)).to.equal(200);
    await close();
  });

  it('takes several addresses, and every address of the machine', async () => {
    const { gateway, close } = await startTestGateway(await emptyStore(), {
      listen: [':0', '127.0.0.2:0'],
      'grpc-listen': [':0'],
    });
    for (const address of gateway.http) {
      const host = 'host' in address && address.host === '127.0.0.2' ? '127.0.0.2' : '127.0.0.1';
      if ('port' in address) expect(await statusOf({ host, port: address.port })).to.equal(200);
    }
    await close();
  });

  it('serves both protocols on unix sockets, and removes them at the end', async () => {
    const folder = await tempFolder();
    const [http, grpc] = [join(folder, 'http.sock'), join(folder, 'grpc.sock')];
    const { log, close } = await startTestGateway(await emptyStore(), {
      listen: [`unix:${http}`],
      'grpc-listen': [`unix:${grpc}`],
    });
    expect(await statusOf({ socketPath: http })).to.equal(200);
    const client = new StoreServiceClient(`unix:${grpc}`, credentials.createInsecure());
    await unary((done) => client.getStoreInfo({ store: '' }, done));
    client.close();
    await close();
    expect(log.filter(({ message }) => message === 'request').map(({ status }) => status)).to.deep.equal([200, 'OK']);
    expect([existsSync(http), existsSync(grpc)]).to.deep.equal([false, false]);
  });

  it('takes the place of a socket that a killed process left, and of nothing else', async () => {
    const folder = await tempFolder();
    const stale = join(folder, 'stale.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(existsSync(stale)).to.equal(true);
    const gateway = await startTestGateway(await emptyStore(), { listen: [`unix:${stale}`], 'grpc-listen': ['off'] });
    expect(await statusOf({ socketPath: stale })).to.equal(200);
    await gateway.close();

    const file = join(folder, 'file');
    await writeFile(file, 'precious');
    const live = join(folder, 'live.sock');
    const server = createServer().listen(live);
    for (const path of [file, live]) {
      let error: unknown;
      const settings = { listen: [`unix:${path}`], 'grpc-listen': ['off'] };
      await startTestGateway(await emptyStore(), settings).catch((caught: unknown) => (error = caught));
      expect(error).to.be.an('error').with.property('message').that.includes(`can't listen on unix:${path}`);
      expect(existsSync(path)).to.equal(true);
    }
    server.close();
  });

  it('warns where others reach what nobody has to log in to', async () => {
    const { log, close } = await startTestGateway(await emptyStore(), {
      listen: ['0.0.0.0:0'],
      'allow-write': true,
      'no-auth': true,
    });
    expect(log.filter(({ level }) => level === 'warn').map(({ message }) => message)).to.deep.equal([
      'whoever reaches 0.0.0.0:0 has this access: nobody logs in',
    ]);
    await close();
  });
});
