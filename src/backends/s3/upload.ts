import { hasCode, ifPresent, StoreError } from '../../core/errors.js';
import type { ObjectKind, ObjectRef } from '../../core/object.js';
import { verifiedObject } from '../../core/serialized-object.js';
import type { OpContext, PutResult } from '../../core/store.js';
import { buffers } from '../../lib/buffer-pool.js';
import { ByteSource } from './byte-source.js';
import type { PutOptions, S3Bucket, WriteOutcome } from './client.js';
import { compareStored, digestOf, type Digest, type Stored } from './comparing.js';
import { maxParts, MultipartUpload } from './multipart.js';
import { partBuffers, partBytes, type PartBuffer, type PartBuffers } from './part-buffers.js';
import { settleWrite, type ConditionalWrite } from './settling.js';
import type { Versions } from './versions.js';

/** How much of an upload is read before it needs a buffer of the budget: all of a lock, and of most states. */
const startBytes = 64 * 1024;

export interface UploadsOptions {
  /** The limit for packfiles and states, in bytes. */
  readonly maxObjectBytes: number;
  /** For how long new packfiles and states are locked in the bucket, in milliseconds. Default: 0, not at all. */
  readonly retentionMs?: number | undefined;
  /** The clock for that: in milliseconds since 1970-01-01 UTC. Default: the system's. */
  readonly now?: (() => number) | undefined;
  /** Default: those of the process. */
  readonly buffers?: PartBuffers;
  /** What the bucket keeps of deleted objects, if deletes rely on it. Default: nothing. */
  readonly versions?: Pick<Versions, 'bringBack'> | undefined;
}

/** Puts objects into a bucket, whole or not at all, and packfiles and states only once. */
export class Uploads {
  /** The limit for packfiles and states, in bytes: the one asked for, but not more than a multipart upload may have. */
  readonly maxObjectBytes: number;
  private readonly parts: PartBuffers;

  constructor(
    private readonly bucket: S3Bucket,
    private readonly options: UploadsOptions,
  ) {
    this.parts = options.buffers ?? partBuffers;
    this.maxObjectBytes = Math.min(options.maxObjectBytes, maxParts * partBytes);
  }

  /** As `Store.put`. @param key the object's */
  put(ref: ObjectRef, key: string, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    return this.store(ref, key, body, { ifAbsent: ref.kind !== 'lock' }, ctx);
  }

  /** As `OpenedStore.replace`. */
  async replace(
    ref: ObjectRef,
    key: string,
    body: AsyncIterable<Uint8Array>,
    arrivedMs: number,
    ctx: OpContext,
  ): Promise<void> {
    await this.store(ref, key, body, { ifAbsent: false, arrivedMs }, ctx);
  }

  private async store(
    ref: ObjectRef,
    key: string,
    body: AsyncIterable<Uint8Array>,
    how: Pick<PutOptions, 'ifAbsent' | 'arrivedMs'>,
    { signal }: OpContext,
  ): Promise<PutResult> {
    const { retentionMs = 0, now = Date.now, versions } = this.options;
    const retainUntilMs = ref.kind !== 'lock' && retentionMs > 0 ? now() + retentionMs : undefined;
    const options = { ...how, retainUntilMs, versions, signal };
    const source = new ByteSource(verifiedObject(ref, body, this.maxObjectBytes));
    try {
      return { created: await new Upload(this.bucket, ref.kind, key, this.parts, options).store(source) };
    } finally {
      await source.close();
    }
  }
}

/** The upload of one object. Its methods resolve to whether it created the object. */
class Upload {
  constructor(
    private readonly bucket: S3Bucket,
    private readonly kind: ObjectKind,
    private readonly key: string,
    private readonly parts: PartBuffers,
    private readonly options: PutOptions & OpContext & Pick<UploadsOptions, 'versions'>,
  ) {}

  async store(source: ByteSource): Promise<boolean> {
    const start = buffers.take(startBytes);
    try {
      const length = await source.fill(start.subarray(0, startBytes));
      if (await source.isAtEnd()) return await this.putWhole(start.subarray(0, length));
      return await this.storeMore(start.subarray(0, length), source);
    } finally {
      buffers.give(start);
    }
  }

  /** Stores an object that is longer than its start. */
  private async storeMore(start: Buffer, source: ByteSource): Promise<boolean> {
    const first = await this.parts.take(this.options.signal);
    try {
      const [length, isWhole] = await this.parts.reading(
        source,
        async () => [await source.fill(first.bytes, start.copy(first.bytes)), await source.isAtEnd()] as const,
      );
      if (isWhole) return await this.putWhole(first.bytes.subarray(0, length));
      source.startDigest(first.bytes);
      if (!(await this.isTaken())) return await this.putParts(first, source);
    } finally {
      first.release();
    }
    return this.putNothing(source);
  }

  /** Whether an object is there that may not be replaced: its parts would be sent for nothing. */
  private async isTaken(): Promise<boolean> {
    const { ifAbsent, signal } = this.options;
    return ifAbsent && (await ifPresent(this.bucket.head(this.key, signal))) !== undefined;
  }

  /** Stores an object by one request. */
  private async putWhole(bytes: Uint8Array): Promise<boolean> {
    const send = (): Promise<WriteOutcome> => this.bucket.put(this.key, bytes, this.options);
    if (this.options.ifAbsent) return this.settle(send, () => digestOf(bytes), { repeatsConflicts: true });
    await send();
    return true;
  }

  /** Stores an object by parts. @param first the first one, which is full */
  private async putParts(first: PartBuffer, source: ByteSource): Promise<boolean> {
    const multipart = await MultipartUpload.start(this.bucket, this.key, this.parts, this.options);
    let awaitsRemoval = true;
    try {
      multipart.send(first, partBytes);
      await multipart.sendRest(source);
      if (!this.options.ifAbsent) {
        await multipart.complete();
        return true;
      }
      const digest = source.digest();
      // After a conflict S3 wants all parts again.
      return await this.settle(
        () => multipart.complete(),
        () => digest,
        { repeatsConflicts: false },
      );
    } catch (error) {
      awaitsRemoval = !hasCode(error, 'unavailable');
      throw error;
    } finally {
      await multipart.close(awaitsRemoval);
    }
  }

  /** Compares an object with the one that is there. */
  private async putNothing(source: ByteSource): Promise<boolean> {
    await source.drain();
    const stored = await this.look(source.digest());
    if (stored === 'other') throw this.notReplaced();
    if (stored === 'same') return false;
    throw new StoreError('unavailable', `the ${this.kind} was there, and was deleted during the upload: try again`);
  }

  private async settle(
    send: ConditionalWrite['send'],
    digest: () => Digest,
    options: Pick<ConditionalWrite, 'repeatsConflicts'>,
  ): Promise<boolean> {
    const { signal, versions } = this.options;
    const look = (): Promise<Stored> => this.look(digest());
    const bringBack = versions && ((): Promise<boolean> => versions.bringBack(this.key, digest(), signal));
    const created = await settleWrite({ send, look, bringBack, signal, ...options });
    if (created === 'other') throw this.notReplaced();
    return created;
  }

  private look(digest: Digest): Promise<Stored> {
    return compareStored(this.bucket, this.key, digest, this.options.signal);
  }

  private notReplaced(): StoreError {
    const { kind } = this;
    return new StoreError(
      'already_exists',
      `a ${kind} with this MAC and other bytes is stored already, and ${kind}s are never replaced`,
    );
  }
}
