import { expect } from 'chai';
import fc from 'fast-check';
import type { Store } from '../../src/core/store.js';
import type { ClientOptions } from '../support/client-options.js';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { newRef } from '../support/objects.js';
import { PlakarStore } from '../support/plakar-store.js';
import { ReadRangesStore } from '../support/read-ranges-store.js';
import { ctx, expectFailure, failure, getAll, listAll, putAll } from '../support/store.js';
import { ask, type Answer } from './support/raw-http.js';
import { authorization, keptIn, others, own, startTenants, type Tenants } from './support/tenants.js';

/** Ways to write another's store. */
const escapes = [
  ...others.filter((name) => name !== ''),
  'teams/blue/../green',
  'teams/blue/..%2fgreen',
  'teams/blue/%2e%2e/green',
  'teams/blue/%2e%2e%2Fgreen',
  'teams/blue/../../blue',
  'teams/blue/..',
  '../teams/green',
  './teams/green',
  'teams/./green',
  'teams//green',
  '/teams/green',
  '//teams/green',
  'teams/blue//teams/green',
  'teams\\green',
  'teams/blue\\..\\green',
  'teams/blue%5c..%5cgreen',
  'teams%2Fgreen',
  'teams%252Fgreen',
  'teams/green%00',
  'teams/blue%00/../green',
  'teams/green%20',
  'teams/green;teams/blue',
  'TEAMS/GREEN',
  'teams/BLUE',
  'teams/blu',
  'teams/blue.',
  'teams/gr\u0435en',
  'teams/gr%d0%b5en',
  'teams/\uff47reen',
  'teams/%ef%bd%87reen',
  'teams/blue%E2%80%8B',
  'teams/%c0%ae%c0%ae/teams/green',
  '*',
  '__proto__',
  'constructor',
];

/** The forms in which a path's start can be written, up to the store's name. */
const starts = ['/', 'http://gateway/', 'http://blue:secret@gateway/', 'https://elsewhere:1/'];

describe('A principal of one of many stores', function () {
  this.timeout(60_000);
  let tenants: Tenants;
  let untouched: Record<string, unknown>;

  before(async () => {
    tenants = await startTenants();
    untouched = await tenants.printsOfOthers();
  });

  after(() => tenants.gateway.close());

  afterEach('nothing of the others has changed', async () => {
    expect(await tenants.printsOfOthers()).to.deep.equal(untouched);
  });

  const http = (method: string, path: string, bytes = keptIn(own)): Promise<Answer> => {
    const body = method === 'PUT' ? bytes : Buffer.alloc(0);
    const headers = { authorization, 'Content-Length': String(body.length) };
    return ask(tenants.gateway.httpPort, method, path, headers, body);
  };

  for (const name of escapes) {
    it(`gets nothing of another one by writing ${JSON.stringify(name)}`, async () => {
      const { ref } = tenants;
      for (const start of starts) {
        const base = start + name;
        for (const [method, path] of [
          ['GET', base],
          ['GET', `${base}/resources/packfiles`],
          ['GET', `${base}/resources/packfiles/${ref.mac}`],
          ['HEAD', `${base}/resources/packfiles/${ref.mac}`],
          ['PUT', `${base}/resources/packfiles/${newRef('packfile').mac}`],
          ['DELETE', `${base}/resources/packfiles/${ref.mac}`],
          ['GET', `${base}/packfiles`],
        ] as const) {
          const { status, body } = await http(method, path);
          expect(status, `${method} ${path}`).to.be.oneOf([400, 403, 404]);
          expect(body.toString()).to.not.include('kept in the store');
          expect(body.toString()).to.not.include(ref.mac);
        }
      }
      for (const client of [grpc(GrpcStore, name), grpc(ReadRangesStore, name)]) {
        await expectNothing(client, name);
        await client.close();
      }
    });
  }

  it('gets nothing of another one by the name of a host, or by what is behind a path', async () => {
    const path = `/resources/packfiles/${tenants.ref.mac}`;
    const { httpPort } = tenants.gateway;
    for (const host of ['teams/green', 'gateway/teams/green', 'teams']) {
      expect((await ask(httpPort, 'GET', path, { authorization, Host: host })).status).to.be.oneOf([400, 403]);
    }
    for (const suffix of [
      '?store=teams/green',
      '?/../../../green',
      '#/../teams/green',
      '?x=http://gateway/teams/green',
    ]) {
      const { status, body } = await http('GET', `/${own}${path}${suffix}`);
      expect(status, suffix).to.equal(200);
      expect(body.equals(keptIn(own)), suffix).to.equal(true);
    }
  });

  it('has its own in all ways to write it', async () => {
    const { ref } = tenants;
    for (const name of [own, 'teams/%62lue', '%74eams/blue', `teams/blue`]) {
      for (const start of starts) {
        const { status, body } = await http('GET', `${start}${name}/resources/packfiles/${ref.mac}`);
        expect(status, start + name).to.equal(200);
        expect(body.equals(keptIn(own)), start + name).to.equal(true);
        expect((await http('GET', `${start}${name}`)).status).to.equal(200);
        expect((await http('GET', `${start}${name}/`)).status).to.equal(200);
      }
    }
  });

  it('touches its own store or none, whatever the path', async () => {
    const { ref } = tenants;
    const parts = [...new Set([own, ...others].flatMap((name) => name.split('/')))];
    const tricks = ['', '.', '..', '%2e%2e', '%2E.', '%2f', '..%2fgreen', 'teams%2fgreen', 'blue%00', '\\', '%74eams'];
    const segment = fc.constantFrom(
      ...parts,
      ...tricks,
      'BLUE',
      'blue;x',
      'resources',
      'packfiles',
      'packfile',
      'config',
    );
    const name = fc.oneof(
      fc.constant(own),
      fc.array(segment, { maxLength: 6 }).map((all) => all.join('/')),
    );
    const behind = fc.constantFrom('', '/', '/resources/packfiles', '/resources/packfiles/../packfiles', '/packfiles');
    const methods = fc.constantFrom('GET', 'HEAD', 'PUT', 'DELETE');
    const macs = fc.constantFrom('', `/${ref.mac}`, `/${newRef('packfile').mac}`, `/${ref.mac}?store=teams/green`);
    let successes = 0;
    const tried = fc.tuple(methods, fc.constantFrom(...starts, '//', '/./'), name, behind, macs);
    await fc.assert(
      fc.asyncProperty(tried, async ([method, ...path]) => {
        const { status, body } = await http(method, path.join(''));
        expect(status).to.be.oneOf([200, 400, 403, 404, 405, 409]);
        if (status === 200) successes++;
        expect(body.toString().replace(keptIn(own).toString(), '')).to.not.include('kept in');
        // What it may delete is put back, so that there is something to find.
        if (method === 'DELETE' && status === 200) await http('PUT', `/${own}/resources/packfiles/${ref.mac}`);
      }),
      { numRuns: 500 },
    );
    expect(successes).to.be.above(10);
  });

  it('touches its own store or none, whatever the name in a gRPC request', async () => {
    const { ref } = tenants;
    const text = fc.oneof(
      fc.constantFrom(...escapes, own),
      fc.string({ unit: 'binary' }),
      fc.string().map((s) => own + s),
    );
    const wrong = text.filter((each) => each !== own);
    await fc.assert(
      fc.asyncProperty(wrong, async (name) => {
        const client = grpc(GrpcStore, name);
        await expectNothing(client, name);
        await client.close();
      }),
      { numRuns: 100 },
    );
    const client = grpc(GrpcStore, own);
    await client.delete(ref, ctx);
    await putAll(client, ref, keptIn(own));
    expect((await getAll(client, ref)).equals(keptIn(own))).to.equal(true);
    await client.close();
  });

  it("binds no connection of plakar's to another one", async () => {
    const { gateway, ref } = tenants;
    const open = (config: Record<string, string>): Promise<PlakarStore> =>
      PlakarStore.open(gateway.grpcPort, config, { authorization });
    for (const name of escapes) {
      // plakar writes locations with slashes around the path.
      if (name.replace(/^\/+|\/+$/g, '') === own) continue;
      const { code } = await failure(open({ location: `grpc://gateway/${name}` }));
      expect(code, name).to.be.oneOf(['permission_denied', 'invalid_argument']);
      await failure(open({ location: `grpc://gateway/${own}`, store: name }));
    }
    const bound = await open({ location: `grpc://teams/green@gateway/`, store: own });
    expect((await getAll(bound, ref)).equals(keptIn(own))).to.equal(true);
    await expectFailure(bound.ask('init', { proto: 'grpc', config: { store: 'teams/green' } }), 'invalid_argument');
    expect((await getAll(bound, ref)).equals(keptIn(own))).to.equal(true);
    await bound.close();
  });

  it("lends nobody else on a connection of plakar's its access to the store that the connection is about", async () => {
    const { gateway, ref } = tenants;
    const options: { -readonly [K in keyof ClientOptions]: ClientOptions[K] } = { authorization };
    const client = await PlakarStore.open(gateway.grpcPort, { store: own }, options);
    expect(await listAll(client, 'packfile')).to.include(ref.mac);
    delete options.authorization;
    await expectFailure(listAll(client, 'packfile'), 'unauthenticated');
    await expectFailure(client.delete(ref), 'unauthenticated');
    options.authorization = 'Bearer of nobody';
    await expectFailure(getAll(client, ref), 'unauthenticated');
    await client.close();
  });

  function grpc(client: typeof GrpcStore, store: string): Store {
    return new client(tenants.gateway.grpcPort, { store, authorization });
  }

  /** Nothing can be read, put or deleted. */
  async function expectNothing(client: Store, name: string): Promise<void> {
    const { ref } = tenants;
    for (const work of [
      () => client.config(ctx),
      () => listAll(client, 'packfile'),
      () => getAll(client, ref, { offset: 0, length: 100 }),
      () => client.stat(ref, ctx),
      () => putAll(client, newRef('packfile'), keptIn(own)),
      () => client.delete(ref, ctx),
    ]) {
      const { code, message } = await failure(work());
      expect(code, name).to.be.oneOf(['permission_denied', 'invalid_argument']);
      expect(message).to.not.include('kept in');
    }
  }
});
