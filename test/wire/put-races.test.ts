import { expect } from 'chai';
import { hasCode } from '../../src/core/errors.js';
import type { Store } from '../../src/core/store.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { getAll, putAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { objects, untilClean, untilOpenFiles } from './support/folders.js';

const count = 200;

describe('200 puts of one name at once, over both protocols', function () {
  this.timeout(60_000);
  let folder: string;
  let gateway: TestGateway;
  let stores: Store[];

  beforeEach(async () => {
    folder = await emptyStore();
    gateway = await startTestGateway(folder, { 'allow-write': true });
    stores = [new HttpStore(gateway.httpPort), new GrpcStore(gateway.grpcPort)];
  });

  afterEach(async () => {
    for (const store of stores) await store.close();
    await gateway.close();
  });

  for (const kind of ['packfile', 'state'] as const) {
    for (const size of [1000, 700_000]) {
      it(`with different bytes: one whole ${kind} of ${size} bytes wins, and the others are told so`, async () => {
        const ref = newRef(kind);
        const bodies = Array.from({ length: count }, (_, i) => makeObject(kind, size, `contender ${i}`));
        const results = await Promise.allSettled(bodies.map((bytes, i) => putAll(storeOf(i), ref, bytes)));
        const winners = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
        expect(winners).to.have.length(1);
        for (const result of results) {
          if (result.status === 'rejected') expect(hasCode(result.reason, 'already_exists')).to.equal(true);
        }
        await expectStored(bodies[winners[0] ?? -1] ?? Buffer.alloc(0));

        async function expectStored(bytes: Buffer): Promise<void> {
          await untilClean(folder);
          await untilOpenFiles(0, folder);
          for (const store of stores) expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
          expect(await objects(folder)).to.have.length(1);
        }
      });
    }
  }

  it('with the same bytes: all succeed, and one of them stored it', async () => {
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 700_000);
    const results = await Promise.all(Array.from({ length: count }, (_, i) => putAll(storeOf(i), ref, bytes)));
    const told = results.filter((created, i) => i % 2 === 1 && created);
    expect(told.length).to.be.within(0, 1);
    await untilClean(folder);
    await untilOpenFiles(0, folder);
    expect((await getAll(storeOf(0), ref)).equals(bytes)).to.equal(true);
  });

  it('with bytes that are the beginning of each other: one wins, and stays as it is', async () => {
    const ref = newRef('state');
    const longest = makeObject('state', 48 + count);
    const bodies = Array.from({ length: count }, (_, i) => longest.subarray(0, 48 + i));
    const results = await Promise.allSettled(bodies.map((bytes, i) => putAll(storeOf(i), ref, bytes, 40)));
    const winners = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
    expect(winners).to.have.length(1);
    expect((await getAll(storeOf(0), ref)).length).to.equal(48 + (winners[0] ?? NaN));
  });

  it('of a lock: all succeed, and one of them is there, whole', async () => {
    const ref = newRef('lock');
    const bodies = Array.from({ length: count }, (_, i) => makeObject('lock', 124 + i, `owner ${i}`));
    await Promise.all(bodies.map((bytes, i) => putAll(storeOf(i), ref, bytes)));
    const there = await getAll(storeOf(0), ref);
    expect(bodies.some((bytes) => bytes.equals(there))).to.equal(true);
    await untilClean(folder);
  });

  function storeOf(i: number): Store {
    const store = stores[i % stores.length];
    if (store === undefined) throw new Error('no store');
    return store;
  }
});
