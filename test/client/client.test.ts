import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { once } from 'node:events';
import { constants, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { StoreServiceService, type StoreServiceServer } from '../../gen/kloset/store/v1/store.js';
import { GatewayClient, type ClientOptions } from '../../src/client/index.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { inChunks, makeObject, newRef } from '../support/objects.js';
import { eventually, expectFailure } from '../support/store.js';
import { emptyStore } from '../support/temp.js';

const MiB = 1024 ** 2;

describe('The client', () => {
  let gateway: TestGateway;
  let client: GatewayClient;

  beforeEach(async () => {
    gateway = await startTestGateway(await emptyStore(), { 'allow-write': true });
    client = new GatewayClient({ address: `127.0.0.1:${gateway.grpcPort}` });
  });

  afterEach(async () => {
    client.close();
    await gateway.close();
  });

  it('describes the store', async () => {
    const { access, config, maxLockBytes, durable, repositoryId } = await client.describe();
    expect({ access, maxLockBytes, durable }).to.deep.equal({ access: 'append', maxLockBytes: 65536, durable: true });
    expect(config.length).to.be.above(48);
    expect(repositoryId).to.have.length(16);
  });

  it('reads, writes, lists and looks at objects', async () => {
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 3 * MiB + 1);
    expect(await client.put(ref, bytes)).to.deep.equal({ created: true });
    expect(await client.put(ref, inChunks(bytes))).to.deep.equal({ created: false });
    expect(Buffer.from(await client.read(ref)).equals(bytes)).to.equal(true);
    expect(Buffer.from(await client.read(ref, { offset: 5, length: 7 })).equals(bytes.subarray(5, 12))).to.equal(true);
    const listed = [];
    for await (const batch of client.listWithDetails('packfile')) listed.push(...batch);
    expect(listed.map(({ mac, size }) => ({ mac, size }))).to.deep.equal([{ mac: ref.mac, size: bytes.length }]);
  });

  it('answers many reads on one stream, each with its bytes or its own error', async () => {
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 3 * MiB);
    await client.put(ref, bytes);
    const reads = Array.from({ length: 500 }, (_, i) => ({ ref, range: { offset: i * 5000, length: 1 + i * 10 } }));
    const missing = { ref: newRef('state'), range: { offset: 0, length: 1 } };
    const seen = new Set<number>();
    for await (const { index, bytes: got, error } of client.readRanges([...reads, missing])) {
      seen.add(index);
      if (index === 500) expect(error?.code).to.equal('not_found');
      else expect(Buffer.from(got ?? []).equals(bytes.subarray(index * 5000, index * 5010 + 1))).to.equal(true);
    }
    expect(seen.size).to.equal(501);
  });

  it('can stop in the middle of any stream, and works on', async () => {
    const ref = newRef('packfile');
    await client.put(ref, makeObject('packfile', 4 * MiB));
    const { chunks } = await client.get(ref);
    for await (const chunk of chunks) if (chunk.length > 0) break;
    await (await client.get(ref)).chunks.return();
    const reads = Array.from({ length: 300 }, () => ({ ref, range: { offset: 0, length: 10 } }));
    for await (const { index } of client.readRanges(reads)) if (index > 3) break;
    expect(await client.read(ref)).to.have.length(4 * MiB);
    await eventually(
      async () => gateway.log.filter(({ method }) => String(method).endsWith('/ReadRanges')).length === 1,
      'the gateway has ended the reads',
    );
  });

  it('fails at the first answer, not before, where there is no gateway', async () => {
    const unreachable = new GatewayClient({ address: '127.0.0.1:1' });
    const answers = unreachable.readRanges([{ ref: newRef('state'), range: { offset: 0, length: 1 } }]);
    await expectFailure(answers.next(), 'unavailable');
    await unreachable.readRanges([]).return(undefined);
    unreachable.close();
  });

  it('can stop while the next reads to ask for are long in coming', async () => {
    const ref = newRef('packfile');
    await client.put(ref, makeObject('packfile', 100));
    let indices = 0;
    async function* endless(): AsyncGenerator<{ ref: typeof ref; range: { offset: number; length: number } }> {
      yield { ref, range: { offset: 0, length: 10 } };
      await new Promise(() => undefined);
    }
    for await (const { bytes } of client.readRanges(endless())) {
      expect(bytes).to.have.length(10);
      indices++;
      break;
    }
    expect(indices).to.equal(1);
  });

  it('ends a put whose body throws with what was thrown, when the gateway has cleaned up', async () => {
    const ref = newRef('packfile');
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield makeObject('packfile', MiB);
      throw new RangeError('broken');
    }
    await client.put(ref, broken()).then(
      () => expect.fail('it succeeded'),
      (error: unknown) => expect(String(error)).to.equal('RangeError: broken'),
    );
    await expectFailure(client.stat(ref), 'not_found');
  });

  it('ends calls when their signal aborts, before and while they run', async () => {
    const signal = AbortSignal.abort();
    await expectFailure(client.describe({ signal }), 'canceled');
    await expectFailure(client.put(newRef('state'), makeObject('state', 100), { signal }), 'canceled');
    await expectFailure(client.read(newRef('state'), undefined, { signal }), 'canceled');
    const soon = new AbortController();
    async function* stalled(): AsyncGenerator<Uint8Array> {
      yield makeObject('packfile', 1000);
      setTimeout(() => soon.abort(), 50);
      await new Promise(() => undefined);
    }
    await expectFailure(client.put(newRef('packfile'), stalled(), { signal: soon.signal }), 'canceled');
  });

  it('shows the words of a refusal', async () => {
    const error = await expectFailure(client.delete(newRef('state')), 'permission_denied');
    expect(error.message).to.match(/needs full, which the gateway's operator grants/);
  });
});

describe('The client of a gateway that is in trouble', () => {
  let server: Server;
  let client: GatewayClient;
  let calls: number;
  let tokens: unknown[];

  /** A service whose handlers are all the same. */
  async function serveAll(handler: (call: object) => void, options: Partial<ClientOptions> = {}): Promise<void> {
    server = new Server();
    const names = Object.keys(StoreServiceService);
    server.addService(
      StoreServiceService,
      Object.fromEntries(names.map((name) => [name, handler])) as unknown as StoreServiceServer,
    );
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    client = new GatewayClient({ address: `127.0.0.1:${port}`, ...options });
  }

  /** A service that is unavailable the first `failures` times, and then has nothing. */
  async function start(failures: number): Promise<void> {
    calls = 0;
    tokens = [];
    const unavailable = { code: status.UNAVAILABLE, details: 'try again later' };
    const missing = { code: status.NOT_FOUND, details: 'nothing here' };
    const fail = (call: object, callback?: (error: object) => void) => {
      const { metadata } = call as { metadata: { get(name: string): unknown[] } };
      tokens.push(...metadata.get('authorization'));
      const error = ++calls <= failures ? unavailable : missing;
      if (callback) callback(error);
      else (call as { emit(name: string, error: object): void }).emit('error', error);
    };
    await serveAll(fail, { token: 'a-token' });
  }

  afterEach(() => {
    client.close();
    server.forceShutdown();
  });

  const bytes = makeObject('state', 100);
  const operations: Record<string, () => Promise<unknown>> = {
    describe: () => client.describe(),
    stat: () => client.stat(newRef('state')),
    read: () => client.read(newRef('state')),
    list: () => client.list('state').next(),
    delete: () => client.delete(newRef('state')),
    'put of bytes': () => client.put(newRef('state'), bytes),
  };

  for (const [name, operation] of Object.entries(operations)) {
    it(`tries ${name} again`, async () => {
      await start(2);
      await expectFailure(operation(), 'not_found');
      expect(calls).to.equal(3);
    });
  }

  it('gives up after a few attempts, with the words of the last one', async () => {
    await start(100);
    expect((await expectFailure(client.describe(), 'unavailable')).message).to.equal('try again later');
    expect(calls).to.equal(4);
  });

  it('sends a stream once', async () => {
    await start(2);
    await expectFailure(client.put(newRef('state'), inChunks(bytes)), 'unavailable');
    expect(calls).to.equal(1);
  });

  it('sends its token with every call', async () => {
    await start(0);
    for (const operation of Object.values(operations)) await expectFailure(operation(), 'not_found');
    expect(tokens).to.deep.equal(Array.from({ length: 6 }, () => 'Bearer a-token'));
  });

  it('does not wait for an answer beyond its deadline, and does not begin again then', async () => {
    let asked = 0;
    await serveAll(() => void asked++, { deadlineMs: 200 });
    const { message } = await expectFailure(client.describe(), 'unavailable');
    expect(message).to.equal('the gateway did not answer in time');
    await expectFailure(client.read(newRef('state'), undefined, { deadlineMs: 200 }), 'unavailable');
    expect(asked).to.equal(2);
  });

  it('is unavailable where it ends a call that its client did not end', async () => {
    const ends: ((stream: ServerHttp2Stream) => void)[] = [
      (stream) => stream.close(constants.NGHTTP2_CANCEL),
      (stream) => stream.respond({ ':status': 200, 'grpc-status': '1' }, { endStream: true }),
    ];
    for (const end of ends) {
      let asked = 0;
      const http2 = createServer().on('stream', (stream) => (asked++, end(stream)));
      await once(http2.listen(0, '127.0.0.1'), 'listening');
      client = new GatewayClient({ address: `127.0.0.1:${(http2.address() as AddressInfo).port}`, attempts: 1 });
      for (const [name, operation] of Object.entries(operations)) {
        const { message } = await expectFailure(operation(), 'unavailable');
        expect(message, name).to.equal('the gateway ended the call before it was done: try again');
      }
      expect(asked).to.equal(Object.keys(operations).length);
      client.close();
      http2.close();
    }
  });
});
