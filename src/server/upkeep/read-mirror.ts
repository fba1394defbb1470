import type { DigestStorage } from '../../core/digests.js';
import type { MacBatch } from '../../core/mac-batch.js';
import type { ObjectKind, ObjectRef } from '../../core/object.js';
import type { ByteRange } from '../../core/range.js';
import type { ObjectRead, ObjectStat, OpContext } from '../../core/store.js';
import type { VerifiedStore } from '../../integrity/store-copy.js';
import { Layer } from '../../layers/layer.js';

/** A store decorator for the mirror that a store is compared with: it tells errors of the mirror from those of the store. */
export class ReadMirror extends Layer implements VerifiedStore {
  private readonly failures = new WeakSet<object>();

  constructor(protected override readonly inner: VerifiedStore) {
    super(inner);
  }

  /** Whether an error came from the mirror. */
  hasFailedWith(error: unknown): boolean {
    return error instanceof Error && this.failures.has(error);
  }

  get digests(): DigestStorage | undefined {
    const { digests } = this.inner;
    return (
      digests && {
        isDurable: digests.isDurable,
        maxSegmentBytes: digests.maxSegmentBytes,
        list: (ctx) => this.noted(digests.list(ctx)),
        read: (...args) => this.notedAll(digests.read(...args)),
        create: (name) => digests.create(name),
      }
    );
  }

  override config(ctx: OpContext): Promise<Uint8Array> {
    return this.noted(this.inner.config(ctx));
  }

  override list(kind: ObjectKind, ctx: OpContext): AsyncGenerator<MacBatch, void, undefined> {
    return this.notedAll(this.inner.list(kind, ctx));
  }

  override stat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat> {
    return this.noted(this.inner.stat(ref, ctx));
  }

  override async get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead> {
    const read = await this.noted(this.inner.get(ref, range, ctx));
    if (read.data instanceof Uint8Array) return read;
    return { ...read, data: this.notedAll(read.data), release: (sent) => read.release(sent) };
  }

  private noted<T>(result: Promise<T>): Promise<T> {
    return result.catch((error: unknown) => this.note(error));
  }

  private async *notedAll<T>(items: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      yield* items;
    } catch (error) {
      this.note(error);
    }
  }

  private note(error: unknown): never {
    if (error instanceof Error) this.failures.add(error);
    throw error;
  }
}
