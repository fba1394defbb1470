import { expect } from 'chai';
import type { S3Bucket } from '../../../src/backends/s3/client.js';
import { Keys } from '../../../src/backends/s3/keys.js';
import { abortStaleUploads, startedUploads } from '../../../src/backends/s3/stale-uploads.js';
import { newRef } from '../../support/objects.js';
import { s3Server } from '../../support/s3-server.js';
import { multipartsIn, openBucket } from './bucket.js';

const hour = 3600 * 1000;

describe('sweeping multipart uploads', () => {
  const server = s3Server();
  const options = { ifAbsent: true };
  let bucket: S3Bucket;

  before(async () => {
    bucket = await openBucket(server());
  });

  after(() => bucket?.close());

  for (const prefix of ['', 'stores/blue']) {
    it(`removes those that are a day old, and only the store's, with the prefix "${prefix}"`, async () => {
      const keys = new Keys(prefix);
      const own = [
        keys.object(newRef('packfile')),
        keys.object(newRef('state')),
        keys.object(newRef('lock')),
        `${keys.root}kloset-gateway/probe`,
      ];
      const foreign = [`${keys.root}photos/1`, new Keys('stores/bluer').object(newRef('packfile')), 'a'];
      const started = [];
      for (const key of [...own, ...foreign]) started.push({ key, id: await bucket.multiparts.create(key, options) });

      const found = [];
      for await (const { key } of startedUploads(bucket, keys)) found.push(key);
      expect(found).to.have.members(own);
      expect(await abortStaleUploads(bucket, keys, Date.now() + 23 * hour)).to.equal(0);
      expect(await multipartsIn(bucket)).to.have.members([...own, ...foreign]);

      expect(await abortStaleUploads(bucket, keys, Date.now() + 25 * hour)).to.equal(own.length);
      expect(await multipartsIn(bucket)).to.have.members(foreign);
      for (const { key, id } of started) await bucket.multiparts.abort(key, id);
    });
  }

  it('may run in several replicas at once', async () => {
    const keys = new Keys('shared');
    for (let i = 0; i < 8; i++) await bucket.multiparts.create(keys.object(newRef('packfile')), options);
    await Promise.all([1, 2, 3].map(() => abortStaleUploads(bucket, keys, Date.now() + 25 * hour)));
    expect(await multipartsIn(bucket, keys.root)).to.deep.equal([]);
  });
});
