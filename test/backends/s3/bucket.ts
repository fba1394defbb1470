import { S3Bucket } from '../../../src/backends/s3/client.js';
import type { S3Options, S3Settings } from '../../../src/backends/s3/options.js';
import type { S3Server } from '../../support/s3-server.js';

export interface BucketOptions extends Partial<S3Settings>, Pick<S3Options, 'silenceMs' | 'credentialsMs'> {
  /** Of a proxy before the server. */
  readonly port?: number;
  /** Default: the server's. */
  readonly name?: string;
}

/** A server's bucket, as stores have it. Has to be closed. */
export function openBucket(
  server: S3Server,
  { port = server.port, name = server.bucket, ...settings }: BucketOptions = {},
): Promise<S3Bucket> {
  const location = { scheme: 's3', endpoint: `127.0.0.1:${port}`, bucket: name, prefix: '' } as const;
  return S3Bucket.open(location, { ...server.s3Settings, ...settings, env: server.env });
}

/** The keys of a bucket's objects. */
export async function keysIn(bucket: S3Bucket, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of bucket.list(prefix)) keys.push(...page.map(({ key }) => key));
  return keys;
}

/** The keys of a bucket's multipart uploads in progress. */
export async function multipartsIn(bucket: S3Bucket, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of bucket.multiparts.list(prefix)) keys.push(key);
  return keys;
}
