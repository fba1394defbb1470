import { chunksOf } from './chunks.js';
import type { Download, KeyRange } from './download.js';
import { failureIn, required } from './errors.js';
import { getObject } from './getting.js';
import { listPage, parseListAnswer, type ListedKey, type ListPage } from './list-page.js';
import type { S3Location } from './location.js';
import { MultipartRequests } from './multipart-requests.js';
import type { S3Options } from './options.js';
import { arrivedName, ifAbsent, Requests, type PutOptions, type WriteOutcome } from './requests.js';
import type { Question } from './signed-requests.js';
import { parseVersionsAnswer, versionsPage, type VersionsMarker, type VersionsPage } from './versions-page.js';

export type { PutOptions, WriteOutcome } from './requests.js';

export interface HeadAnswer {
  /** In bytes. */
  readonly size: number;
  /** When it was last written, in milliseconds since 1970-01-01 UTC. */
  readonly modifiedMs: number;
  /** When it had arrived, if it was written anew since. */
  readonly arrivedMs?: number;
}

export interface PageOptions {
  /** The `next` of the page before. Default: the first page. */
  readonly token?: string | undefined;
  /** Default: what the service has, mostly 1000. */
  readonly maxKeys?: number | undefined;
}

/**
 * The requests that stores need, one method for each. Keys are complete: with the store's prefix. Methods fail with StoreErrors (`fromS3`);
 * after a write, `isAmbiguous` tells whether it may have been done all the same. Requests are repeated where that can help.
 */
export class S3Bucket {
  readonly multiparts: MultipartRequests;

  private constructor(private readonly requests: Requests) {
    this.multiparts = new MultipartRequests(requests);
  }

  /** Loads the SDK. Fails with `invalid_argument` where a file among the options can't be read. */
  static async open(location: S3Location, options: S3Options): Promise<S3Bucket> {
    return new S3Bucket(await Requests.open(location, options));
  }

  get name(): string {
    return this.requests.bucket;
  }

  get options(): S3Options {
    return this.requests.options;
  }

  /** Properties of an object, or of one version of it. `not_found` if there is none, or no bucket: the answer doesn't tell which. */
  async head(key: string, signal?: AbortSignal, versionId?: string): Promise<HeadAnswer> {
    const { sdk, client } = this.requests;
    const command = new sdk.HeadObjectCommand({
      ...this.requests.at(key, versionId),
      ...this.requests.encryption(),
    });
    const sent = this.requests.answer('HeadObject', (how) => client.send(command, how), { signal });
    const { ContentLength, LastModified, Metadata } = await sent;
    const size = required('HeadObject', 'size', ContentLength);
    const modifiedMs = required('HeadObject', 'time', LastModified).getTime();
    const arrivedMs = Date.parse(Metadata?.[arrivedName] ?? '');
    return { size, modifiedMs, ...(!Number.isNaN(arrivedMs) && { arrivedMs }) };
  }

  /** An object or a version of it, or a range; no bytes for a range past its end. `not_found` if there is none. */
  get(key: string, range: KeyRange | undefined, signal?: AbortSignal, versionId?: string): Promise<Download> {
    const sizeOf = async (): Promise<number> => (await this.head(key, signal, versionId)).size;
    return getObject(this.requests, { key, versionId, range }, sizeOf, signal);
  }

  /** Writes an object in one request. The bytes may not change until it ends. */
  put(key: string, bytes: Uint8Array, options: PutOptions): Promise<WriteOutcome> {
    const { sdk, client } = this.requests;
    const command = new sdk.PutObjectCommand({
      ...this.requests.at(key),
      ...this.requests.newObject(options),
      ...this.requests.integrity(bytes),
      ...ifAbsent(options),
      Body: bytes,
    });
    const sending = { signal: options.signal, bytes: bytes.length };
    return this.requests.write('PutObject', (how) => client.send(command, how), sending);
  }

  /** A page of the objects whose keys start with `prefix`. @param page which one; default: the first */
  async listPage(prefix: string, page: PageOptions, signal?: AbortSignal): Promise<ListPage> {
    const { token, maxKeys } = page;
    const { sdk, client } = this.requests;
    // Keys may have characters that XML can't.
    const query = {
      'list-type': '2',
      'encoding-type': 'url',
      prefix,
      ...(token !== undefined && { 'continuation-token': token }),
      ...(maxKeys !== undefined && { 'max-keys': String(maxKeys) }),
    };
    const signed = await this.listed({ query }, signal);
    const parsed = signed && (await parseListAnswer(sdk, signed).catch(() => undefined));
    if (parsed !== undefined) return listPage(parsed, { prefix, token });
    const command = new sdk.ListObjectsV2Command({
      Bucket: this.name,
      Prefix: prefix,
      EncodingType: 'url',
      ...(token !== undefined && { ContinuationToken: token }),
      ...(maxKeys !== undefined && { MaxKeys: maxKeys }),
    });
    const answer = await this.requests.answer('ListObjectsV2', (how) => client.send(command, how), { signal });
    return listPage(answer, { prefix, token });
  }

  /** The objects whose keys start with `prefix`, as pages: all, or an error. */
  async *list(
    prefix: string,
    signal?: AbortSignal,
    maxKeys?: number,
  ): AsyncGenerator<readonly ListedKey[], void, undefined> {
    let token: string | undefined;
    do {
      const { keys, next }: ListPage = await this.listPage(prefix, { token, maxKeys }, signal);
      yield keys;
      token = next;
    } while (token !== undefined);
  }

  /** Removes an object, or one version of it. Succeeds if there is none. */
  async delete(key: string, versionId?: string, signal?: AbortSignal): Promise<void> {
    const { sdk, client } = this.requests;
    const command = new sdk.DeleteObjectCommand(this.requests.at(key, versionId));
    await this.requests.answer('DeleteObject', (how) => client.send(command, how), { signal });
  }

  /** Whether it keeps what is deleted or replaced: whether versioning is enabled. */
  async keepsVersions(): Promise<boolean> {
    const { sdk, client } = this.requests;
    const command = new sdk.GetBucketVersioningCommand({ Bucket: this.name });
    const { Status } = await this.requests.answer('GetBucketVersioning', (how) => client.send(command, how));
    return Status === 'Enabled';
  }

  /** Whether objects can be locked in it: whether it was made with Object Lock. */
  async getObjectLock(): Promise<boolean> {
    const { sdk, client } = this.requests;
    const command = new sdk.GetObjectLockConfigurationCommand({ Bucket: this.name });
    try {
      const answer = await this.requests.answer('GetObjectLockConfiguration', (how) => client.send(command, how));
      return answer.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
    } catch (error) {
      if (failureIn(error)?.reason === 'ObjectLockConfigurationNotFoundError') return false;
      throw error;
    }
  }

  /** A page of all versions of the objects whose keys start with `prefix`. @param marker the `next` of the page before */
  async versionsPage(
    prefix: string,
    marker: VersionsMarker | undefined,
    signal?: AbortSignal,
    maxKeys?: number,
  ): Promise<VersionsPage> {
    const { sdk, client } = this.requests;
    const query = {
      versions: '',
      'encoding-type': 'url',
      prefix,
      ...(marker && { 'key-marker': marker.key }),
      ...(marker?.versionId !== undefined && { 'version-id-marker': marker.versionId }),
      ...(maxKeys !== undefined && { 'max-keys': String(maxKeys) }),
    };
    const signed = await this.listed({ query }, signal);
    const parsed = signed && (await parseVersionsAnswer(sdk, signed).catch(() => undefined));
    if (parsed !== undefined) return versionsPage(parsed, { prefix, marker });
    const command = new sdk.ListObjectVersionsCommand({
      Bucket: this.name,
      Prefix: prefix,
      EncodingType: 'url',
      ...(marker && { KeyMarker: marker.key, VersionIdMarker: marker.versionId }),
      ...(maxKeys !== undefined && { MaxKeys: maxKeys }),
    });
    const answer = await this.requests.answer('ListObjectVersions', (how) => client.send(command, how), { signal });
    return versionsPage(answer, { prefix, marker });
  }

  /** Ends all requests, and closes the connections. */
  close(): void {
    this.requests.close();
  }

  /** The body of a list; undefined where the SDK has to ask for it. */
  private async listed(
    question: Question,
    signal: AbortSignal | undefined,
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const { signed, silenceMs } = this.requests;
    const answer = await signed.get(question, { silenceMs, signal });
    if (answer === undefined) return undefined;
    if (answer.status < 300) return chunksOf(answer.body, silenceMs);
    answer.body.on('error', () => undefined).resume();
    return undefined;
  }
}
