import { expect } from 'chai';
import { parseInit } from '../../../src/frontends/grpc/plakar-init.js';
import type { ModeResponse, SizeResponse } from '../../../gen/plakar/store.js';
import { PlakarStore } from '../../support/plakar-store.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { inChunks, makeObject, newRef } from '../../support/objects.js';
import { eventually, expectFailure, listAll, putAll } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';

describe("plakar's gRPC protocol", () => {
  let gateway: TestGateway;
  const clients: PlakarStore[] = [];

  const open = async (config?: Record<string, string>): Promise<PlakarStore> => {
    const client = await PlakarStore.open(gateway.grpcPort, config);
    clients.push(client);
    return client;
  };

  beforeEach(async () => {
    gateway = await startTestGateway(await emptyStore(), { 'allow-write': true });
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    await gateway.close();
  });

  it('wants Init first, on each connection', async () => {
    await open();
    const other = new PlakarStore(`127.0.0.1:${gateway.grpcPort}`);
    clients.push(other);
    for (const name of ['open', 'ping', 'mode', 'size'] as const) {
      const { message } = await expectFailure(other.ask(name, {}), 'invalid_argument');
      expect(message).to.match(/^Init has to come first/);
    }
    await expectFailure(putAll(other, newRef('state'), makeObject('state', 100)), 'invalid_argument');
  });

  it('keeps a connection to one store, until as many Close as Init', async () => {
    const client = await open();
    const same = { proto: 'grpc', config: { location: 'grpc://gateway' } };
    const other = { proto: 'grpc', config: { location: 'grpc://gateway', auth_token: 'another caller' } };
    await client.ask('init', same);
    const { message } = await expectFailure(client.ask('init', other), 'invalid_argument');
    expect(message).to.match(/in use for another store or by another caller/);
    await client.ask('close', {});
    await client.config();
    await client.ask('close', {});
    await expectFailure(client.config(), 'invalid_argument');
    await client.ask('init', other);
    const { location, ...rest } = other.config;
    // Go sends the entries of a map in any order.
    await client.ask('init', { ...other, config: { ...rest, location } });
    await client.config();
  });

  it('has what lists have counted in the log', async () => {
    const client = await open();
    for (let i = 0; i < 3; i++) await putAll(client, newRef('state'), makeObject('state', 100));
    expect(await listAll(client, 'state')).to.have.length(3);
    const line = gateway.log.find(({ path, method }) => path === 'states' && String(method).endsWith('/List'));
    expect(line).to.include({ status: 'OK', sent: 3 * 32 });
  });

  it('refuses a store that is not here, and takes another Init after that', async () => {
    const { message } = await expectFailure(open({ location: 'grpc://gateway/other' }), 'not_found');
    expect(message).to.match(/no store "other" here/);
    await (await open({ location: 'grpc://gateway/other', store: '' })).config();
  });

  it('tells mode and size, creates nothing, and knows no ecc', async () => {
    const client = await open();
    expect(await client.ask<ModeResponse>('mode', {})).to.deep.equal({ mode: 6 });
    expect(await client.ask<SizeResponse>('size', {})).to.deep.equal({ size: -1n });
    const { message } = await expectFailure(client.ask('create', { config: Buffer.alloc(100) }), 'unimplemented');
    expect(message).to.include('plakar at LOCATION create');
    await expectFailure(client.ask('list', { type: 4 }), 'unimplemented');
    await expectFailure(client.ask('list', { type: 0 }), 'invalid_argument');
    await gateway.close();
    gateway = await startTestGateway(await emptyStore());
    expect(await (await open()).ask<ModeResponse>('mode', {})).to.deep.equal({ mode: 4 });
  });

  it('stores nothing of an upload that a client cancels', async () => {
    const client = await open();
    for (let i = 0; i < 10; i++) {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield* inChunks(makeObject('packfile', 2 * 1024 ** 2).subarray(0, -100 * (i + 1)));
        throw new Error('broken');
      }
      await client.put(newRef('packfile'), broken()).catch(() => undefined);
    }
    const ended = () => gateway.log.filter(({ method }) => method === '/store.Store/Put').length === 10;
    await eventually(async () => ended(), 'all uploads have ended');
    expect(await listAll(client, 'packfile')).to.deep.equal([]);
  });

  it('reads Init', () => {
    const names = ['grpc://h:1', 'grpc://h:1/', 'grpc://h:1/a', 'grpcs://h/a/b/', 'x', '/y', ''];
    expect(names.map((location) => parseInit('grpc', { location }).store)).to.deep.equal([
      '',
      '',
      'a',
      'a/b',
      'x',
      'y',
      '',
    ]);
    expect(parseInit('grpc', { location: 'grpc://u:p@h:1/a', store: 'b' })).to.include({
      origin: 'h:1',
      root: '/a',
      store: 'b',
    });
  });
});
