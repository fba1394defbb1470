import { hasCode, ifPresent, StoreError } from '../../core/errors.js';
import { isMac, type ObjectRef } from '../../core/object.js';
import type { ByteRange } from '../../core/range.js';
import type { ObjectRead, ObjectStat, OpContext } from '../../core/store.js';
import type { Trash, TrashedObject } from '../../core/trash.js';
import { objectPath, trashedKinds } from '../files/layout.js';
import { missing } from '../files/missing.js';
import type { S3Bucket } from './client.js';
import { failureIn } from './errors.js';
import type { Keys } from './keys.js';
import { read } from './reading.js';
import type { Uploads } from './upload.js';
import { versionTime } from './version-time.js';
import type { Version } from './versions-page.js';
import { isRefusedRemoval, pastOf, type History, type Versions } from './versions.js';

export interface S3TrashOptions {
  readonly bucket: S3Bucket;
  readonly keys: Keys;
  readonly versions: Versions;
  readonly uploads: Uploads;
  /** Throws unless the store can be written. */
  readonly requireWritable: () => void;
  /** Fails with `unavailable` if the store isn't there. */
  readonly requireStore: (signal: AbortSignal) => Promise<void>;
}

/** How often a restore begins anew when others write the same name meanwhile. */
const maxAttempts = 4;

/** For operations that no caller can abort. */
const never: OpContext = { signal: new AbortController().signal };

/**
 * The trash of a store in a bucket that keeps versions: all versions of its packfiles and states that aren't the object of their name now,
 * as a delete marker or a newer version is above them. A delete makes such a marker, and a restore removes it, so that nothing is copied, and
 * the object keeps the time of its arrival. Only a version with others above it is copied to come back: it arrives anew then, and stays in the
 * trash as well.
 *
 * Also what others delete and replace in the bucket is in it. Without versions it is empty.
 */
export class S3Trash implements Trash {
  /** A list takes a request for each 1000 objects of the store, which services charge for: 4000 for a million, and a day. */
  readonly purgeEveryMs = 6 * 3_600_000;

  constructor(private readonly options: S3TrashOptions) {}

  async *list({ signal }: OpContext, deletedBeforeMs = Infinity): AsyncGenerator<TrashedObject, void, undefined> {
    const { versions, keys, requireStore } = this.options;
    let isEmpty = true;
    for (const kind of trashedKinds) {
      const start = keys.kind(kind).length + 3;
      for await (const histories of versions.below(keys.kind(kind), signal)) {
        for (const history of histories) {
          isEmpty = false;
          const [{ key } = { key: '' }] = history;
          const mac = key.slice(start);
          // Others in the bucket may have put anything there.
          if (!isMac(mac) || key !== keys.object({ kind, mac })) continue;
          for (const object of trashedIn({ kind, mac }, history)) if (object.deletedMs < deletedBeforeMs) yield object;
        }
      }
    }
    if (isEmpty) await requireStore(signal);
  }

  async stat(object: TrashedObject, { signal }: OpContext): Promise<ObjectStat> {
    const { bucket } = this.options;
    const versionId = versionIdOf(object);
    const head = bucket.head(this.keyOf(object), signal, versionId);
    const { size, modifiedMs } = await this.explainMissing(object, head, signal);
    return { size, modifiedMs: wholeSeconds(versionTime(versionId, modifiedMs)) };
  }

  async firstArrival(object: TrashedObject, { signal }: OpContext): Promise<number | undefined> {
    const head = this.options.bucket.head(this.keyOf(object), signal, versionIdOf(object));
    return (await this.explainMissing(object, head, signal)).arrivedMs;
  }

  get(object: TrashedObject, range: ByteRange | undefined, { signal }: OpContext): Promise<ObjectRead> {
    const { bucket } = this.options;
    return this.explainMissing(object, read(bucket, this.keyOf(object), range, signal, versionIdOf(object)), signal);
  }

  async discard(ref: ObjectRef, { signal } = never): Promise<void> {
    const { bucket, keys, requireWritable } = this.options;
    requireWritable();
    if (ref.kind === 'lock') throw new StoreError('invalid_argument', 'locks are never kept in the trash');
    const key = keys.object(ref);
    // Services make markers above nothing as well.
    if ((await ifPresent(bucket.head(key, signal))) === undefined) return;
    await bucket.delete(key, undefined, signal);
  }

  async restore(object: TrashedObject): Promise<boolean> {
    const { requireWritable, versions } = this.options;
    requireWritable();
    const [key, versionId] = [this.keyOf(object), versionIdOf(object)];
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const history = await versions.of(key);
      const index = history.findIndex((version) => version.versionId === versionId);
      if (index < 0 && attempt > 1 && isObjectLike(history[0], object)) return true;
      // Also where a purge that began before has removed it meanwhile.
      if (index < 0 || (index === 0 && attempt === 1)) throw await this.whyMissing(object, never.signal);
      if (index === 0) return true;
      if (history[0]?.isMarker !== true) return false;
      const above = history.slice(0, index);
      if (!above.every(({ isMarker }) => isMarker)) return this.copyBack(object);
      // The newest first: until the last one is gone, the first delete tells when it was.
      try {
        await this.permitted(versions.removeAll(above));
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
    throw new StoreError('unavailable', 'others delete and put this object again and again: try again later');
  }

  /** An object that another process restores between the look whether it is still in the trash and its removal is removed all the same. */
  async remove(object: TrashedObject): Promise<void> {
    const { requireWritable, requireStore, versions } = this.options;
    requireWritable();
    const [key, versionId] = [this.keyOf(object), versionIdOf(object)];
    const history = await versions.of(key);
    if (history.length === 0) return requireStore(never.signal);
    if (history[0]?.isLatest !== true) {
      throw new StoreError(
        'unavailable',
        "the store's S3 service doesn't say which version is the object: try again later",
      );
    }
    const version = pastOf(history).find((each) => each.versionId === versionId);
    if (version !== undefined) await this.permitted(versions.removeAll([version]));
    // Markers that have nothing below them are of no use.
    const left = await versions.of(key);
    if (left.every(({ isMarker }) => isMarker)) await this.permitted(versions.removeAll(left));
  }

  private keyOf({ ref }: TrashedObject): string {
    return this.options.keys.object(ref);
  }

  private async copyBack(object: TrashedObject): Promise<boolean> {
    const { uploads, keys } = this.options;
    const { ref } = object;
    const { data, release } = await this.get(object, undefined, never);
    try {
      return (await uploads.put(ref, keys.object(ref), chunksOf(data), never)).created;
    } catch (error) {
      if (hasCode(error, 'already_exists')) return false;
      throw error;
    } finally {
      release();
    }
  }

  /** The result of a removal for good, which the bucket may refuse. */
  private async permitted(removal: Promise<void>): Promise<void> {
    try {
      await removal;
    } catch (error) {
      if (!isRefusedRemoval(error)) throw error;
      throw new StoreError(
        'permission_denied',
        "the bucket refuses to remove a version: it is under object lock, or the gateway's key lacks the right s3:DeleteObjectVersion",
        { cause: error instanceof Error ? error.cause : undefined },
      );
    }
  }

  private async explainMissing<T>(object: TrashedObject, result: Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await result;
    } catch (error) {
      throw hasCode(error, 'not_found') ? await this.whyMissing(object, signal) : error;
    }
  }

  private async whyMissing(object: TrashedObject, signal: AbortSignal): Promise<StoreError> {
    await this.options.requireStore(signal);
    return missing(object);
  }
}

/**
 * Whether a version is the object of its name, and may be the trashed one: where several deleted that at once, versitygw 1.8.0 gives its bytes
 * another id.
 */
function isObjectLike(version: Version | undefined, { stat }: TrashedObject): boolean {
  return version?.isLatest === true && !version.isMarker && version.size === stat?.size;
}

/** Whether the removal of a version failed as there is none: versitygw answers as to an id that can't be one. */
function isGone(error: unknown): boolean {
  const failure = failureIn(error);
  return failure?.reason === 'InvalidArgument' || failure?.status === 404;
}

/** What a history has of a name's past. */
function* trashedIn(ref: ObjectRef, history: History): Generator<TrashedObject, void, undefined> {
  for (const [index, version] of history.entries()) {
    const above = history[index - 1];
    if (above === undefined || version.isMarker || version.isLatest) continue;
    const { versionId, size } = version;
    const modifiedMs = wholeSeconds(version.modifiedMs);
    // Most services tell whole seconds, so this is the latest moment when it can have been there.
    const deletedMs = Math.max(modifiedMs, wholeSeconds(above.modifiedMs)) + 999;
    yield { ref, deletedMs, id: `${objectPath(ref)}@${versionId}`, stat: { size, modifiedMs } };
  }
}

/** As in the answer to a HEAD, whatever a list tells. */
function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

function versionIdOf({ ref, id }: TrashedObject): string {
  return id.slice(objectPath(ref).length + 1);
}

async function* chunksOf(data: ObjectRead['data']): AsyncGenerator<Uint8Array, void, undefined> {
  if (data instanceof Uint8Array) yield data;
  else yield* data;
}
