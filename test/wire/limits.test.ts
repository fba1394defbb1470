import { expect } from 'chai';
import { tokenDigest } from '../../src/auth/tokens.js';
import type { Settings } from '../../src/config/config.js';
import type { ObjectRead, Store } from '../../src/core/store.js';
import type { ClientOptions } from '../support/client-options.js';
import { startTestGateway, testConfig, type TestGateway } from '../support/gateway.js';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { ctx, eventually, expectFailure, getAll, listAll, putAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { temporaries, untilClean } from './support/folders.js';
import { ask, RawHttp, requestHead } from './support/raw-http.js';

const MiB = 1024 * 1024;

type Connect = (gateway: TestGateway, options: ClientOptions) => Store;

const clients = {
  'HTTP 1.1': ({ httpPort }, options) => new HttpStore(httpPort, options),
  gRPC: ({ grpcPort }, options) => new GrpcStore(grpcPort, options),
} satisfies Record<string, Connect>;

const principal = (name: string): { tokens: string[]; access: Record<string, 'full'> } => ({
  tokens: [`sha256:${tokenDigest(`token-of-${name}`)}`],
  access: { '*': 'full' },
});

const login = (name: string): ClientOptions => ({ authorization: `Bearer token-of-${name}` });

/** The codes of errors as the test's clients tell them: of those that share a status in gRPC, the first. */
const seenAs = {
  'HTTP 1.1': { tooMany: 'too_many_requests', tooLarge: 'too_large' },
  gRPC: { tooMany: 'no_space', tooLarge: 'invalid_argument' },
} as const;

/** An upload that doesn't end before it is told to. */
function openUpload(store: Store): { end: () => void; done: Promise<unknown> } {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  async function* body(): AsyncGenerator<Uint8Array> {
    yield makeObject('packfile', 2 * MiB);
    await ended;
  }
  return { end, done: store.put(newRef('packfile'), body(), ctx) };
}

describe('Limits', function () {
  this.timeout(30_000);
  let folder: string;
  let gateway: TestGateway;
  let settings: Settings;
  const open: Store[] = [];

  async function start(changes: Settings): Promise<void> {
    folder = await emptyStore();
    settings = {
      stores: { '': { location: folder, anonymous: 'append' } },
      principals: { ann: principal('ann'), bob: principal('bob') },
      'min-free-space': 0,
      durability: 'none',
      ...changes,
    };
    gateway = await startTestGateway(undefined, settings);
  }

  afterEach(async () => {
    for (const store of open.splice(0)) await store.close();
    await gateway.close();
  });

  function clientOf(connect: Connect, name: string): Store {
    const store = connect(gateway, login(name));
    open.push(store);
    return store;
  }

  for (const protocol of ['HTTP 1.1', 'gRPC'] as const) {
    const { [protocol]: connect } = clients;
    const { tooMany, tooLarge } = seenAs[protocol];

    it(`hold a principal to so many requests at once over ${protocol}, and no other one`, async () => {
      await start({ 'max-requests': 2, 'queue-timeout': '300ms' });
      const [ann, bob] = [clientOf(connect, 'ann'), clientOf(connect, 'bob')];
      const ref = newRef('state');
      await putAll(ann, ref, makeObject('state', 32 * MiB));
      const reads: ObjectRead[] = [await ann.get(ref, undefined, ctx), await ann.get(ref, undefined, ctx)];
      const { message } = await expectFailure(listAll(ann, 'state'), tooMany);
      expect(message).to.include('too many requests at once: the limit for each caller is 2');
      expect(await listAll(bob, 'state')).to.deep.equal([ref.mac]);
      // Who waits has a turn as soon as there is one.
      await gateway.gateway.reload(testConfig({ ...settings, 'max-requests': 2, 'queue-timeout': '20s' }));
      const waiting = listAll(ann, 'state');
      reads.pop()?.release(true);
      expect(await waiting).to.deep.equal([ref.mac]);
      reads.pop()?.release(true);
    });

    it(`hold a principal to so many uploads at once over ${protocol}, while it goes on reading`, async () => {
      await start({ 'max-uploads': 1, 'queue-timeout': '300ms' });
      const [ann, bob] = [clientOf(connect, 'ann'), clientOf(connect, 'bob')];
      const first = openUpload(ann);
      await eventually(async () => (await temporaries(folder)).length === 1, 'the upload writes');
      const { message } = await expectFailure(putAll(ann, newRef('packfile'), makeObject('packfile', 100)), tooMany);
      expect(message).to.include('too many uploads at once: the limit for each caller is 1');
      expect(await listAll(ann, 'packfile')).to.deep.equal([]);
      // A backup keeps its lock fresh, however busy it is.
      await putAll(ann, newRef('lock'), makeObject('lock', 100));
      await putAll(bob, newRef('packfile'), makeObject('packfile', 100));
      first.end();
      await first.done;
      await putAll(ann, newRef('packfile'), makeObject('packfile', 100));
      await untilClean(folder);
    });

    it(`count all who don't log in from one address as one over ${protocol}`, async () => {
      await start({ 'max-uploads': 1, 'queue-timeout': 0 });
      const [one, other] = [connect(gateway, {}), connect(gateway, {})];
      open.push(one, other);
      const first = openUpload(one);
      await eventually(async () => (await temporaries(folder)).length === 1, 'the upload writes');
      await expectFailure(putAll(other, newRef('packfile'), makeObject('packfile', 100)), tooMany);
      first.end();
      await first.done;
    });

    it(`slow failed logins down over ${protocol}, and nobody who has a good token`, async () => {
      await start({});
      const guess = (): Promise<string> => {
        const store = connect(gateway, { authorization: 'Bearer guess' });
        open.push(store);
        return listAll(store, 'state').then(
          () => 'let in',
          (error: { code: string }) => error.code,
        );
      };
      const guesses: Record<string, number> = {};
      const all = Array.from({ length: 60 }, async () => {
        const outcome = await guess();
        guesses[outcome] = (guesses[outcome] ?? 0) + 1;
      });
      const ann = clientOf(connect, 'ann');
      expect(await listAll(ann, 'state')).to.deep.equal([]);
      await eventually(async () => (guesses[tooMany] ?? 0) > 0, 'some are turned away');
      // Those before them are still held back.
      expect(guesses['unauthenticated'] ?? 0).to.be.lessThan(60 - 16);
      expect(await listAll(ann, 'state')).to.deep.equal([]);
      await Promise.all(all);
      expect(Object.keys(guesses).sort()).to.deep.equal([tooMany, 'unauthenticated'].sort());
    });

    it(`refuse an object beyond the size over ${protocol} while it is still being sent, and keep nothing of it`, async () => {
      await start({ 'max-object-size': '1MiB' });
      const store = clientOf(connect, 'ann');
      const [largest, larger] = [makeObject('packfile', MiB), makeObject('packfile', MiB + 1)];
      const ref = newRef('packfile');
      await putAll(store, ref, largest);
      for (const bytes of [larger, makeObject('packfile', 64 * MiB)]) {
        await expectFailure(putAll(store, newRef('packfile'), bytes), tooLarge);
      }
      await untilClean(folder);
      expect(await listAll(store, 'packfile')).to.deep.equal([ref.mac]);
      expect((await getAll(store, ref)).equals(largest)).to.equal(true);
    });
  }

  it('tell HTTP clients that are turned away when to come again', async () => {
    await start({});
    const guesses = Array.from({ length: 40 }, async () => {
      const answer = await ask(gateway.httpPort, 'GET', '/', { Authorization: 'Bearer guess' });
      return answer.status === 429 ? answer : Promise.reject(new Error('not yet'));
    });
    const { headers } = await Promise.any(guesses);
    expect(headers['retry-after']).to.equal('1');
    await gateway.close();
    await Promise.allSettled(guesses);
  });

  it('hold all listeners together to so many connections', async () => {
    await start({ 'max-connections': 3 });
    const connections = await Promise.all(
      [gateway.httpPort, gateway.httpPort, gateway.grpcPort].map((port) => RawHttp.connect(port)),
    );
    for (const port of [gateway.httpPort, gateway.grpcPort]) {
      const refused = await RawHttp.connect(port);
      expect(await refused.untilClosed()).to.have.length(0);
      refused.close();
    }
    // Those who are in are served, and so is the next one where one of them goes.
    const [first, second] = connections;
    await second?.send(requestHead('GET', '/healthz'));
    expect((await second?.answer())?.status).to.equal(200);
    first?.close();
    await eventually(
      () =>
        ask(gateway.httpPort, 'GET', '/healthz').then(
          ({ status }) => status === 200,
          () => false,
        ),
      'another one is served',
    );
    for (const each of connections) each.close();
    const full = gateway.log.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(full[0]).to.include('refused a connection: the limit of 3 connections is reached');
  });
});
