import { expect } from 'chai';
import type { OpenedStore } from '../../../src/backends/backend.js';
import type { DigestStorage } from '../../../src/core/digests.js';
import { checkSegments } from '../../../src/integrity/digest-log.js';
import { describeDigestStorage } from '../../integrity/support/digest-storage-suite.js';
import { digestWriter, randomDigest, recordedDigests, recordOne } from '../../support/digests.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { doneButRefused, lostAnswer } from '../../support/faults.js';
import { newRef } from '../../support/objects.js';
import { s3Server } from '../../support/s3-server.js';
import { openS3Store } from '../../support/s3-store.js';
import { ctx, listAll } from '../../support/store.js';
import { keysIn, openBucket } from './bucket.js';

describe('The digests of a store in S3', () => {
  const server = s3Server();
  let opened: OpenedStore[];

  beforeEach(() => {
    opened = [];
  });

  afterEach(() => Promise.all(opened.map((store) => store.close())));

  async function open(prefix: string, port?: number): Promise<DigestStorage> {
    const store = await openS3Store(server(), prefix, port === undefined ? {} : { port });
    opened.push(store);
    if (store.digests === undefined) throw new Error('it has no digests');
    return store.digests;
  }

  describeDigestStorage(async () => {
    const prefix = await server().emptyStore();
    return [await open(prefix), await open(prefix)];
  });

  it('are no objects, and a part that is missing shows', async () => {
    const prefix = await server().emptyStore();
    const digests = await open(prefix);
    const writer = digestWriter(digests);
    const refs = Array.from({ length: 3 }, () => newRef('packfile'));
    for (const ref of refs) await writer.record(ref, randomDigest());
    await recordOne(digests);
    const [store] = opened;
    for (const kind of ['packfile', 'state', 'lock'] as const) {
      expect(store && (await listAll(store, kind))).to.deep.equal([]);
    }
    const bucket = await openBucket(server());
    const [, second = ''] = (await keysIn(bucket, prefix)).filter((key) => key.includes('/.kloset-gateway/digests/'));
    await bucket.delete(second);
    bucket.close();
    expect((await recordedDigests(digests)).size).to.be.below(4);
    const problems = (await checkSegments(digests, ctx)).map(({ problem }) => problem);
    expect(problems).to.include('changed');
  });

  it('are all there whatever becomes of the requests that wrote them, and nothing seems to be changed', async () => {
    const proxy = await FaultProxy.start(server().port);
    try {
      const prefix = await server().emptyStore();
      const digests = await open(prefix, proxy.port);
      const writer = digestWriter(digests);
      const refs = Array.from({ length: 4 }, () => newRef('packfile'));
      for (const ref of refs) {
        await writer.record(ref, randomDigest());
        proxy.spoil('PutObject', refs.indexOf(ref) === 0 ? lostAnswer : doneButRefused(500, 'InternalError'));
      }
      expect([...(await recordedDigests(digests)).keys()]).to.have.members(refs.map(({ mac }) => `packfile ${mac}`));
      expect(await checkSegments(digests, ctx)).to.deep.equal([]);
    } finally {
      await proxy.close();
    }
  });
});
