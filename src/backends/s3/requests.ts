import type { PutObjectCommandInput, S3Client, StorageClass } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { canceled } from '../../core/errors.js';
import { connect } from './connect.js';
import { readCustomerKey } from './customer-key.js';
import { failureIn, fromS3, isAmbiguous } from './errors.js';
import type { S3Location } from './location.js';
import { firstAnswerMs, type S3Options } from './options.js';
import { Retries } from './retries.js';
import { loadSdk, type Sdk } from './sdk.js';
import { SignedRequests } from './signed-requests.js';

/** The name of the time when an object had arrived that was written anew since, among the metadata that users give objects. */
export const arrivedName = 'kloset-gateway-arrived';

export interface PutOptions {
  /** Whether the object is written only if there is none (`If-None-Match: *`). */
  readonly ifAbsent: boolean;
  /** Until when the object is locked, in milliseconds since 1970-01-01 UTC. Needs the setting `objectLock`. */
  readonly retainUntilMs?: number | undefined;
  /** When an object had arrived that is written anew, in milliseconds since 1970-01-01 UTC. Default: it is a new one. */
  readonly arrivedMs?: number | undefined;
  readonly signal?: AbortSignal;
}

/** `exists`: there was an object already (412), and nothing was written. */
export type WriteOutcome = 'written' | 'exists';

/** What the SDK's client is to heed while it sends a command. */
export interface SendOptions {
  abortSignal?: AbortSignal;
  /** How long the answer may take, in milliseconds. */
  requestTimeout?: number;
}

interface Sending {
  readonly signal?: AbortSignal | undefined;
  /** How many bytes the service has to take before it answers. Default: few. */
  readonly bytes?: number;
}

/** How long a service may send nothing, in milliseconds. */
const defaultSilenceMs = 30_000;

/** What a service takes at least, in bytes a millisecond: parts of 8 MiB, four at once, on a line of 1 Mbit/s. */
const slowestBytesPerMs = 32;

/** How the requests to a bucket are sent, and what they have in common. */
export class Requests {
  readonly signed: SignedRequests;
  readonly silenceMs: number;
  private hasAnswered = false;

  private constructor(
    readonly sdk: Sdk,
    readonly client: S3Client,
    readonly bucket: string,
    readonly options: S3Options,
    private readonly retries: Retries,
    private readonly customerKey: Buffer | undefined,
  ) {
    this.signed = new SignedRequests(client, retries);
    this.silenceMs = silenceOf(options);
  }

  /** Loads the SDK. Fails with `invalid_argument` where a file among the options can't be read. */
  static async open(location: S3Location, options: S3Options): Promise<Requests> {
    const sdk = await loadSdk();
    const { sseCustomerKey, sseCustomerKeyFile } = options;
    const file = sseCustomerKeyFile === undefined ? undefined : await readCustomerKey(sseCustomerKeyFile);
    const retries = new Retries();
    const client = await connect(sdk, location, options, { retries, silenceMs: silenceOf(options) });
    return new Requests(sdk, client, location.bucket, options, retries, sseCustomerKey ?? file);
  }

  /** Whether objects are encrypted with the customer's key, which each request has to bring. */
  get hasCustomerKey(): boolean {
    return this.customerKey !== undefined;
  }

  /** Sends a command, again where that can help. Fails as `fromS3`. @param send sends it with these options */
  async answer<T>(
    operation: string,
    send: (options: SendOptions) => Promise<T>,
    { signal, bytes = 0 }: Sending = {},
  ): Promise<T> {
    const requestTimeout = this.hasAnswered
      ? this.silenceMs + bytes / slowestBytesPerMs
      : Math.min(firstAnswerMs, this.silenceMs);
    try {
      const answer = await send({ requestTimeout, ...(signal && { abortSignal: signal }) });
      this.hasAnswered = true;
      return answer;
    } catch (error) {
      // The connection was closed for that, which some errors don't tell.
      if (signal?.aborted) throw canceled(error);
      const thrown = fromS3(error, operation);
      this.hasAnswered ||= failureIn(thrown)?.status !== undefined;
      throw thrown;
    }
  }

  /** A conditional write. That an object exists after several attempts says nothing: the first may have written it. */
  async write(...request: Parameters<Requests['answer']>): Promise<WriteOutcome> {
    try {
      await this.answer(...request);
      return 'written';
    } catch (error) {
      if (failureIn(error)?.status === 412 && !isAmbiguous(error)) return 'exists';
      throw error;
    }
  }

  /** Ends what is being sent, and closes the connections. */
  close(): void {
    this.retries.stop();
    this.client.destroy();
  }

  at(key: string, versionId?: string): { Bucket: string; Key: string; VersionId?: string } {
    return { Bucket: this.bucket, Key: key, ...(versionId !== undefined && { VersionId: versionId }) };
  }

  /** What requests need for objects that are encrypted with the customer's key. */
  encryption(): Pick<PutObjectCommandInput, 'SSECustomerAlgorithm' | 'SSECustomerKey'> {
    if (this.customerKey === undefined) return {};
    return { SSECustomerAlgorithm: 'AES256', SSECustomerKey: this.customerKey.toString('base64') };
  }

  newObject({ retainUntilMs, arrivedMs }: PutOptions): Partial<PutObjectCommandInput> {
    const { storageClass, sseKmsKey, objectLock } = this.options;
    return {
      ...this.encryption(),
      ContentType: 'application/octet-stream',
      ...(arrivedMs !== undefined && { Metadata: { [arrivedName]: new Date(arrivedMs).toISOString() } }),
      ...(storageClass !== undefined && { StorageClass: storageClass as StorageClass }),
      ...(sseKmsKey !== undefined && { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: sseKmsKey }),
      ...(objectLock !== undefined &&
        retainUntilMs !== undefined && {
          ObjectLockMode: objectLock === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE',
          ObjectLockRetainUntilDate: new Date(retainUntilMs),
        }),
    };
  }

  /** S3 demands a digest beside the signature's where objects are locked: API Reference, PutObject, Content-MD5. */
  integrity(bytes: Uint8Array): { ContentMD5?: string } {
    if (this.options.objectLock === undefined) return {};
    return { ContentMD5: createHash('md5').update(bytes).digest('base64') };
  }
}

export function ifAbsent({ ifAbsent }: PutOptions): Pick<PutObjectCommandInput, 'IfNoneMatch'> {
  return ifAbsent ? { IfNoneMatch: '*' } : {};
}

function silenceOf({ silenceMs = defaultSilenceMs }: S3Options): number {
  return silenceMs;
}
