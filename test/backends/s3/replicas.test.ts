import { expect } from 'chai';
import { hasCode } from '../../../src/core/errors.js';
import type { ObjectRef } from '../../../src/core/object.js';
import type { Store } from '../../../src/core/store.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { meeting } from '../../support/faults.js';
import type { TestGateway } from '../../support/gateway.js';
import { GrpcStore } from '../../support/grpc-store.js';
import { HttpStore } from '../../support/http-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { s3Server } from '../../support/s3-server.js';
import { startS3Gateway } from '../../support/s3-store.js';
import { eventually, getAll, listAll, putAll } from '../../support/store.js';

const MiB = 1024 * 1024;

const count = 16;

describe('three gateways on one bucket', function () {
  this.timeout(60_000);
  const server = s3Server();
  let proxy: FaultProxy;
  let prefix: string;
  let gateways: TestGateway[];
  let stores: Store[];

  before(async () => {
    prefix = await server().emptyStore();
    // All at once: each proves that the bucket is write-once while the others do.
    proxy = await FaultProxy.start(server().port);
    const settings = { port: proxy.port, 'max-uploads': count };
    gateways = await Promise.all(Array.from({ length: 3 }, () => startS3Gateway(server(), prefix, settings)));
    stores = gateways.flatMap(({ httpPort, grpcPort }) => [new HttpStore(httpPort), new GrpcStore(grpcPort)]);
  });

  beforeEach(() => proxy.heal());

  after(async () => {
    for (const store of stores ?? []) await store.close();
    await Promise.all((gateways ?? []).map((gateway) => gateway.close()));
    await proxy?.close();
  });

  const storeOf = (i: number): Store => stores[i % stores.length] as Store;

  /** Every one of them has these bytes, and nothing else is left. */
  async function expectStored(ref: ObjectRef, bytes: Buffer): Promise<void> {
    for (const store of stores) expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
    await eventually(async () => (await server().multiparts(prefix)).length === 0, 'no multipart is left');
  }

  for (const [what, kind, size, last] of [
    ['a small packfile', 'packfile', 60_000, 'PutObject'],
    ['a small state', 'state', 1000, 'PutObject'],
    ['a packfile of two parts', 'packfile', 8.1 * MiB, 'CompleteMultipartUpload'],
  ] as const) {
    it(`store one of ${count} of ${what} that are put under one name at once, whole, and refuse the others`, async () => {
      const ref = newRef(kind);
      const bodies = Array.from({ length: count }, (_, i) => makeObject(kind, size + i, `contender ${i}`));
      proxy.spoil(last, meeting(count), { times: Infinity });
      const results = await Promise.allSettled(bodies.map((bytes, i) => putAll(storeOf(i), ref, bytes)));
      const winners = bodies.filter((_, i) => results[i]?.status === 'fulfilled');
      expect(winners).to.have.length(1);
      for (const result of results) {
        if (result.status === 'rejected') expect(hasCode(result.reason, 'already_exists')).to.equal(true);
      }
      await expectStored(ref, winners[0] as Buffer);
    });

    it(`let all of ${count} puts of ${what} with the same bytes succeed, and one of them stored it`, async () => {
      const ref = newRef(kind);
      const bytes = makeObject(kind, size);
      proxy.spoil(last, meeting(count), { times: Infinity });
      const created = await Promise.all(Array.from({ length: count }, (_, i) => putAll(storeOf(i), ref, bytes)));
      // Only gRPC tells.
      expect(created.filter((each, i) => each && i % 2 === 1).length).to.be.at.most(1);
      await expectStored(ref, bytes);
    });
  }

  it(`let all of ${count} puts of one lock succeed, and keep one of them, whole`, async () => {
    const ref = newRef('lock');
    const bodies = Array.from({ length: count }, (_, i) => makeObject('lock', 1000 + i, `owner ${i}`));
    await Promise.all(bodies.map((bytes, i) => putAll(storeOf(i), ref, bytes)));
    const there = await getAll(storeOf(0), ref);
    expect(bodies.some((bytes) => bytes.equals(there))).to.equal(true);
    await expectStored(ref, there);
    for (const store of stores) expect(await listAll(store, 'lock')).to.deep.equal([ref.mac]);
  });
});
