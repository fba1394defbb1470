import type { OpContext } from '../../core/store.js';
import type { ByteSource } from './byte-source.js';
import type { PutOptions, S3Bucket, WriteOutcome } from './client.js';
import type { PartBuffer, PartBuffers } from './part-buffers.js';

/** How many parts a multipart upload may have: Amazon S3 User Guide, "Amazon S3 multipart upload limits". */
export const maxParts = 10_000;

/** How many parts of one upload are sent at once, as far as there are buffers. */
const partsAtOnce = 4;

/** How long the removal of parts may take, in milliseconds: the caller may be gone, or the gateway stop. */
const removalMs = 5000;

/** A multipart upload in progress. Has to be closed. */
export class MultipartUpload {
  private readonly etags: Promise<string>[] = [];
  /** For each part that is being sent, a promise that never fails. */
  private readonly sending = new Set<Promise<unknown>>();
  private failure: { readonly error: unknown } | undefined;
  private isWritten = false;

  private constructor(
    private readonly bucket: S3Bucket,
    private readonly key: string,
    private readonly id: string,
    private readonly buffers: PartBuffers,
    private readonly options: PutOptions & OpContext,
  ) {}

  static async start(
    bucket: S3Bucket,
    key: string,
    buffers: PartBuffers,
    options: PutOptions & OpContext,
  ): Promise<MultipartUpload> {
    return new MultipartUpload(bucket, key, await bucket.multiparts.create(key, options), buffers, options);
  }

  /** Starts to send a part, whose buffer is released when it is sent. All parts but the last are full. */
  send(buffer: PartBuffer, length: number): void {
    const bytes = buffer.bytes.subarray(0, length);
    const etag = this.bucket.multiparts.upload(this.key, this.id, this.etags.length + 1, bytes, this.options.signal);
    this.etags.push(etag);
    const sent = etag
      .catch((error: unknown) => (this.failure ??= { error }))
      .finally(() => {
        buffer.release();
        this.sending.delete(sent);
      });
    this.sending.add(sent);
  }

  /** Sends what is left of a source. */
  async sendRest(source: ByteSource): Promise<void> {
    while (!(await source.isAtEnd())) {
      const buffer = await this.nextBuffer();
      try {
        this.send(buffer, await this.buffers.reading(source, () => source.fill(buffer.bytes)));
      } catch (error) {
        buffer.release();
        throw error;
      }
    }
  }

  /** Makes the parts an object, once they are sent. May be called again if there was an object already. */
  async complete(): Promise<WriteOutcome> {
    const etags = await Promise.all(this.etags);
    const outcome = await this.bucket.multiparts.complete(this.key, this.id, etags, this.options);
    this.isWritten = outcome === 'written';
    return outcome;
  }

  /**
   * Waits until no part is being sent, and removes the parts unless they became the object: the bucket would keep them. What can't be
   * removed now is left to `abortStaleUploads`. Never fails.
   *
   * @param awaitsRemoval whether to wait for the removal, for a few seconds; false where the service doesn't do what it is asked
   */
  async close(awaitsRemoval: boolean): Promise<void> {
    // A part that arrives after the removal would stay.
    await Promise.all(this.sending);
    if (this.isWritten) return;
    const limit = AbortSignal.timeout(removalMs);
    const removed = this.bucket.multiparts.abort(this.key, this.id, limit).catch(() => undefined);
    if (awaitsRemoval) await removed;
  }

  /** A buffer for the next part. Waits for the parts that are being sent, or, if there are none, for other uploads. */
  private async nextBuffer(): Promise<PartBuffer> {
    for (;;) {
      if (this.failure !== undefined) throw this.failure.error;
      if (this.sending.size === 0) return this.buffers.take(this.options.signal);
      const buffer = this.sending.size < partsAtOnce ? this.buffers.tryTake() : undefined;
      if (buffer !== undefined) return buffer;
      await Promise.race(this.sending);
    }
  }
}
