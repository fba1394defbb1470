import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { IncomingMessage } from 'node:http';
import { limitSilence } from './chunks.js';
import { credentials } from './credentials.js';
import type { S3Location } from './location.js';
import { readOption } from './option-file.js';
import { firstAnswerMs, type S3Options } from './options.js';
import type { Retries } from './retries.js';
import type { Sdk } from './sdk.js';

/** The region where none is named: what servers outside AWS are set to, and AWS's first. */
const defaultRegion = 'us-east-1';

/** How long a connection may take, in milliseconds. */
const connectTimeoutMs = 5000;

/**
 * AWS's own hosts for buckets: `s3.amazonaws.com`, `s3.eu-west-1.amazonaws.com`, `s3-fips.dualstack.us-east-1.amazonaws.com`,
 * `s3.cn-north-1.amazonaws.com.cn`. AWS General Reference, "Amazon Simple Storage Service endpoints and quotas".
 */
const awsHost = /^s3(-fips)?(\.dualstack)?(?:[.-]([a-z]{2}(?:-[a-z]+)+-\d+))?\.amazonaws\.com(?:\.cn)?$/;

interface Limits {
  readonly retries: Retries;
  /** How long a service may send nothing before an answer, or in the middle of one that is read without a pause. */
  readonly silenceMs: number;
}

/** Makes the SDK's client for a location. Fails with `invalid_argument` where a file among the options can't be read. */
export async function connect(
  sdk: Sdk,
  { endpoint, bucket }: S3Location,
  options: S3Options,
  limits: Limits,
): Promise<S3Client> {
  const aws = awsHost.exec(endpoint);
  const region = options.region ?? aws?.[3];
  const config: S3ClientConfig = {
    // AWS's endpoints depend on the bucket's region: the SDK knows them.
    ...(aws === null
      ? { endpoint: `${options.tls ? 'https' : 'http'}://${endpoint}` }
      : { useFipsEndpoint: aws[1] !== undefined, useDualstackEndpoint: aws[2] !== undefined }),
    ...(region !== undefined && { region }),
    ...(options.profile !== undefined && { profile: options.profile }),
    tls: options.tls,
    forcePathStyle: options.pathStyle ?? aws === null,
    followRegionRedirects: true,
    credentials: await credentials(sdk, options),
    // Checksums that AWS doesn't require break services of others; the signature covers the SHA-256 of what is sent.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Waiting for the server's consent to each large request would take a new connection each time.
    expectContinueHeader: false,
    // A clock that is far off is an error: retention and trash are reckoned by it.
    disableClockSkewCorrection: true,
    retryStrategy: limits.retries,
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      // Not of the socket: it would also count while a client is slow to take what was read.
      requestTimeout: limits.silenceMs,
      throwOnRequestTimeout: true,
      // The gateway limits what runs at once; a limit here could let slow downloads keep all else waiting.
      httpAgent: { keepAlive: true, maxSockets: Infinity },
      httpsAgent: { keepAlive: true, maxSockets: Infinity, ...(await trust(options)) },
    },
  };
  const open = (region: string): S3Client => limited(new sdk.S3Client({ ...config, region }), limits);
  if (region !== undefined) return open(region);
  const client = open(await configuredRegion(sdk, config));
  const found = aws === null ? undefined : await regionOf(sdk, bucket, client);
  if (found === undefined) return client;
  client.destroy();
  return open(found);
}

/** Limits the time in which the answers to a client's commands are read. The bodies of objects are left to who reads them. */
function limited(client: S3Client, { silenceMs }: Limits): S3Client {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const result = await next(args);
        const { statusCode, body } = result.response as { statusCode: number; body: IncomingMessage };
        if (commandName !== 'GetObjectCommand' || statusCode >= 300) limitSilence(body, silenceMs);
        return result;
      },
    { step: 'deserialize', priority: 'low', name: 'klosetGatewaySilence' },
  );
  return client;
}

/** The region of the environment or the AWS configuration. */
async function configuredRegion(sdk: Sdk, config: S3ClientConfig): Promise<string> {
  const client = new sdk.S3Client(config);
  try {
    // The SDK throws where none is set.
    return await client.config.region().catch(() => defaultRegion);
  } finally {
    client.destroy();
  }
}

/** The region that AWS has a bucket in; undefined if it doesn't say, for a reason that the next request will tell. */
async function regionOf(sdk: Sdk, bucket: string, client: S3Client): Promise<string | undefined> {
  const answer = await client
    .send(new sdk.HeadBucketCommand({ Bucket: bucket }), { requestTimeout: firstAnswerMs })
    .catch(() => undefined);
  return answer?.BucketRegion;
}

async function trust({ ca, insecureSkipVerify }: S3Options): Promise<{ ca?: Buffer; rejectUnauthorized?: false }> {
  if (insecureSkipVerify === true) return { rejectUnauthorized: false };
  return ca === undefined ? {} : { ca: await readOption("the S3 service's CA", ca) };
}
