import { objectKinds } from '../../core/object.js';
import type { S3Bucket } from './client.js';
import type { Keys } from './keys.js';
import type { Multipart } from './multipart-requests.js';
import { probeFolder } from './write-once.js';

/** A multipart upload of this age, in milliseconds, is a leftover: no upload takes a day. */
const maxAgeMs = 24 * 3600 * 1000;

/**
 * Removes the parts of multipart uploads that were begun a day ago, by any gateway or by plakar, where the store's objects are; uploads of
 * other programs in the bucket stay. Replicas may do so at the same time. Resolves to how many were removed.
 *
 * @param nowMs the time in milliseconds since 1970-01-01 UTC
 */
export async function abortStaleUploads(bucket: S3Bucket, keys: Keys, nowMs = Date.now()): Promise<number> {
  let removed = 0;
  for await (const { key, uploadId, startedMs } of startedUploads(bucket, keys)) {
    if (nowMs - startedMs < maxAgeMs) continue;
    await bucket.multiparts.abort(key, uploadId);
    removed++;
  }
  return removed;
}

/** The multipart uploads that were begun and have not ended, where the store's objects are. */
export async function* startedUploads(bucket: S3Bucket, keys: Keys): AsyncGenerator<Multipart, void, undefined> {
  for (const folder of [...objectKinds.map((kind) => keys.kind(kind)), probeFolder(keys)])
    yield* bucket.multiparts.list(folder);
}
