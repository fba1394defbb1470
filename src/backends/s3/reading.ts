import type { ByteRange } from '../../core/range.js';
import type { ObjectRead } from '../../core/store.js';
import { buffers } from '../../lib/buffer-pool.js';
import type { S3Bucket } from './client.js';

/** Answers of up to this size are one buffer. */
const smallBytes = 256 * 1024;

/** Reads an object or a version of it, or a range, by one request. `not_found` if there is none. */
export async function read(
  bucket: S3Bucket,
  key: string,
  range: ByteRange | undefined,
  signal: AbortSignal,
  versionId?: string,
): Promise<ObjectRead> {
  const download = await bucket.get(key, range && keyRange(range), signal, versionId);
  const { objectSize, length, body, cancel } = download;
  if (length > smallBytes) return { objectSize, length, data: body, release: cancel };
  const buffer = buffers.take(length);
  await download.readInto(buffer);
  const release = (sent?: boolean): void => {
    if (sent) buffers.give(buffer);
  };
  return { objectSize, length, data: buffer.subarray(0, length), release };
}

/** All bytes of an object, which has to be small. `not_found` if there is none. */
export async function readWhole(bucket: S3Bucket, key: string, signal: AbortSignal): Promise<Buffer> {
  const download = await bucket.get(key, undefined, signal);
  const buffer = Buffer.allocUnsafe(download.length);
  await download.readInto(buffer);
  return buffer;
}

/** The end of a range may be past that of the object, but servers need not read numbers past 2⁵³. */
function keyRange({ offset, length }: ByteRange): { start: number; end: number } {
  return { start: offset, end: Math.min(offset + length - 1, Number.MAX_SAFE_INTEGER) };
}
