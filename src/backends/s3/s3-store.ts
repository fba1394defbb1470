import { hasCode, ifPresent, StoreError } from '../../core/errors.js';
import type { MacBatch } from '../../core/mac-batch.js';
import type { ObjectKind, ObjectRef } from '../../core/object.js';
import type { ByteRange } from '../../core/range.js';
import { isConfig } from '../../core/serialized-object.js';
import type { ObjectRead, ObjectStat, OpContext, PutResult, StoreInfo } from '../../core/store.js';
import type { Logger } from '../../lib/logger.js';
import { watched } from '../../lib/watched.js';
import type { OpenedStore, ReplaceOptions, UnfinishedUpload } from '../backend.js';
import { missing } from '../files/missing.js';
import type { S3Bucket } from './client.js';
import { S3Digests } from './digests.js';
import { noStore } from './errors.js';
import { Keys } from './keys.js';
import { Listing } from './listing.js';
import { removeOldLocks } from './old-locks.js';
import { read } from './reading.js';
import { abortStaleUploads, startedUploads } from './stale-uploads.js';
import { S3Trash } from './trash.js';
import { Uploads, type UploadsOptions } from './upload.js';
import { Versions } from './versions.js';
import { describeUnproven, proveWriteOnce } from './write-once.js';

export interface S3StoreOptions extends Omit<UploadsOptions, 'versions'> {
  /** What the store's keys start with: the location's. */
  readonly prefix: string;
  /** Whether the store will be written: only then is it found out whether it may be. */
  readonly writable: boolean;
  /** Whether the operator wants acknowledged puts to be durable: S3 services promise it. */
  readonly durable: boolean;
  /** Whether deleted packfiles and states have to be kept in the trash. Default: the bucket decides. */
  readonly trashes?: boolean | undefined;
  /** How many keys a page of a list has. Default: as many as the service gives. */
  readonly pageKeys?: number;
}

/** The Store in a bucket, below a prefix. It keeps no state: any number of them may serve one bucket. */
export class S3Store implements OpenedStore {
  private readonly keys: Keys;
  private readonly listing: Listing;
  private readonly uploads: Uploads;
  private readonly versions: Versions;
  readonly trash: S3Trash;
  readonly digests: S3Digests;
  private readOnly = false;
  private readonly closed = new AbortController();

  private constructor(
    private readonly bucket: S3Bucket,
    private readonly options: S3StoreOptions,
  ) {
    this.keys = new Keys(options.prefix);
    this.listing = new Listing(bucket, this.keys, options.pageKeys);
    const versions = (this.versions = new Versions(bucket, options.pageKeys));
    const uploads = (this.uploads = new Uploads(bucket, { ...options, ...(options.trashes && { versions }) }));
    const requireWritable = (): void => this.requireWritable();
    const requireStore = (signal: AbortSignal): Promise<void> => this.listing.requireStore(signal);
    this.trash = new S3Trash({ bucket, keys: this.keys, versions, uploads, requireWritable, requireStore });
    const { durable } = options;
    this.digests = new S3Digests({ bucket, keys: this.keys, durable, requireWritable, requireStore });
  }

  /**
   * Opens the store in a bucket, which belongs to the store from then on and is closed if this fails: with `not_found` if there is no CONFIG,
   * with `invalid_argument` if it isn't a Kloset store's, or can't have the trash or the object lock that it should have. Where the service may overwrite objects it is read-only, and the
   * log says why.
   */
  static async open(bucket: S3Bucket, options: S3StoreOptions, log: Logger): Promise<S3Store> {
    try {
      const store = new S3Store(bucket, options);
      if (!isConfig(await store.readConfig(new AbortController().signal))) {
        throw new StoreError('invalid_argument', "its CONFIG is not a Kloset store's");
      }
      if (options.trashes) {
        const problem =
          "it can't have a trash, as its bucket doesn't keep what is deleted: enable versioning on the bucket, or leave out the setting `trash`";
        await requireFeature(bucket.keepsVersions(), problem);
      }
      if ((options.retentionMs ?? 0) > 0) {
        const problem =
          "it can't have s3-object-lock, as its bucket has no object lock: make a new bucket with object lock and move the store there, or set " +
          's3-object-lock to off';
        await requireFeature(bucket.getObjectLock(), problem);
      }
      if (options.writable) await store.prove(log);
      return store;
    } catch (error) {
      bucket.close();
      throw error;
    }
  }

  info(): StoreInfo {
    const access = this.readOnly ? 'read-only' : 'full';
    const { maxObjectBytes } = this.uploads;
    return { access, maxObjectBytes, durable: this.options.durable, retentionMs: 0, trashMs: 0 };
  }

  async config({ signal }: OpContext): Promise<Uint8Array> {
    try {
      return await this.readConfig(signal);
    } catch (error) {
      throw hasCode(error, 'not_found') ? noStore(error) : error;
    }
  }

  list(kind: ObjectKind, { signal }: OpContext): AsyncIterable<MacBatch> {
    return this.listing.list(kind, signal);
  }

  listStats(kind: ObjectKind, { signal }: OpContext): AsyncIterable<ObjectRef & ObjectStat> {
    return this.listing.listStats(kind, signal);
  }

  async stat(ref: ObjectRef, { signal }: OpContext): Promise<ObjectStat> {
    const head = this.bucket.head(this.keys.object(ref), signal);
    const { size, modifiedMs } = await this.explainMissing(ref, signal, head);
    return { size, modifiedMs };
  }

  get(ref: ObjectRef, range: ByteRange | undefined, { signal }: OpContext): Promise<ObjectRead> {
    return this.explainMissing(ref, signal, read(this.bucket, this.keys.object(ref), range, signal));
  }

  async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    this.requireWritable();
    return this.uploads.put(ref, this.keys.object(ref), body, ctx);
  }

  async replace(
    ref: ObjectRef,
    body: AsyncIterable<Uint8Array>,
    arrivedMs: number,
    ctx: OpContext,
    { mustExist = false }: ReplaceOptions = {},
  ): Promise<void> {
    this.requireWritable();
    const firstMs = (await this.firstArrival(ref, ctx)) ?? arrivedMs;
    const requireObject = async (): Promise<void> => void (mustExist && (await this.stat(ref, ctx)));
    // The end of the body is the last moment before the object is written.
    await this.uploads.replace(ref, this.keys.object(ref), watched(body, { end: requireObject }), firstMs, ctx);
  }

  async firstArrival(ref: ObjectRef, { signal }: OpContext): Promise<number | undefined> {
    return (await ifPresent(this.bucket.head(this.keys.object(ref), signal)))?.arrivedMs;
  }

  async delete(ref: ObjectRef, { signal }: OpContext): Promise<void> {
    if (this.options.trashes && ref.kind !== 'lock') return this.trash.discard(ref, { signal });
    this.requireWritable();
    await this.bucket.delete(this.keys.object(ref), undefined, signal);
  }

  /**
   * Removes the parts of uploads that were never completed, a day after they began, and what a bucket with a trash keeps of locks. Resolves to
   * the number of uploads and locks.
   */
  async sweep(): Promise<number> {
    if (this.readOnly) return 0;
    const uploads = await abortStaleUploads(this.bucket, this.keys);
    if (!this.options.trashes) return uploads;
    return uploads + (await removeOldLocks(this.versions, this.keys, this.closed.signal));
  }

  /** Uploads in parts that have not ended, and what crashed ones left: the service tells when they began, and not their sizes. */
  async *unfinished(): AsyncGenerator<UnfinishedUpload, void, undefined> {
    for await (const { startedMs } of startedUploads(this.bucket, this.keys)) yield { modifiedMs: startedMs };
  }

  async close(): Promise<void> {
    this.closed.abort();
    this.bucket.close();
  }

  private async readConfig(signal: AbortSignal): Promise<Uint8Array> {
    const config = await read(this.bucket, this.keys.config, undefined, signal);
    if (config.data instanceof Uint8Array) return config.data;
    config.release();
    throw new StoreError('unavailable', "the store's CONFIG is too large to be one");
  }

  private async prove(log: Logger): Promise<void> {
    const proof = await proveWriteOnce(this.bucket, this.keys);
    if (proof.isProven) return;
    this.readOnly = true;
    log.warn({}, describeUnproven(proof));
  }

  /** The result of an operation on an object. If that is missing, the error says whether the whole store is. */
  private async explainMissing<T>(ref: ObjectRef, signal: AbortSignal, result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error;
      await this.listing.requireStore(signal);
      throw missing(ref);
    }
  }

  private requireWritable(): void {
    if (!this.readOnly) return;
    throw new StoreError(
      'unimplemented',
      "the store is read-only at every access level, since its S3 service doesn't prove that it never overwrites objects: the gateway's log has the details",
    );
  }
}

/** Throws `invalid_argument` where a bucket doesn't have what was asked for, or its service doesn't know it. */
async function requireFeature(asked: Promise<boolean>, problem: string): Promise<void> {
  const hasFeature = await asked.catch((error: unknown) => {
    if (hasCode(error, 'unimplemented')) return false;
    throw error;
  });
  if (!hasFeature) throw new StoreError('invalid_argument', problem);
}
