import { expect } from 'chai';
import fc from 'fast-check';
import type { Store } from '../../src/core/store.js';
import type { ClientOptions } from '../support/client-options.js';
import { GrpcStore } from '../support/grpc-store.js';
import { newRef } from '../support/objects.js';
import { PlakarStore } from '../support/plakar-store.js';
import { ReadRangesStore } from '../support/read-ranges-store.js';
import { ctx, expectFailure, failure, getAll, listAll, putAll } from '../support/store.js';
import { authorization, escapes, keptIn, own, startTenants, type Tenants } from './support/tenants.js';

describe('A principal of one of many stores, through gRPC,', function () {
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

  for (const name of escapes) {
    it(`gets nothing of another one by writing ${JSON.stringify(name)}`, async () => {
      for (const client of [grpc(GrpcStore, name), grpc(ReadRangesStore, name)]) {
        await expectNothing(client, name);
        await client.close();
      }
    });
  }

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

  it("can't initialise a connection of plakar's with another one", async () => {
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

  it("does not lend its access to other callers on a connection of plakar's", async () => {
    const { gateway, ref } = tenants;
    const options: { -readonly [K in keyof ClientOptions]: ClientOptions[K] } = { authorization };
    const client = await PlakarStore.open(gateway.grpcPort, { store: own }, options);
    expect(await listAll(client, 'packfile')).to.include(ref.mac);
    delete options.authorization;
    await expectFailure(listAll(client, 'packfile'), 'unauthenticated');
    await expectFailure(client.delete(ref), 'unauthenticated');
    options.authorization = 'Bearer unknown';
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
