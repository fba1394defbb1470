import type { ObjectKind, ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectRead, ObjectStat, OpContext, PutResult, Store } from '../core/store.js';
import type { CallerLimits } from './caller-limits.js';
import { Layer } from './layer.js';

/**
 * A store decorator that holds one of the caller's permits for each operation until the caller has released the result: for a get until
 * its bytes are released, for a list until its iteration ends. Uploads of packfiles and states hold an upload permit as well. Locks don't:
 * they are small, and a backup fails without them.
 */
export class Limited extends Layer {
  /** The requests whose list is being iterated. */
  private readonly listing = new Set<OpContext>();

  /** @param caller identifies the caller in `limits` */
  constructor(
    inner: Store,
    private readonly limits: CallerLimits,
    private readonly caller: string,
  ) {
    super(inner);
  }

  override config(ctx: OpContext): Promise<Uint8Array> {
    return this.limited('request', ctx, () => this.inner.config(ctx));
  }

  override stat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat> {
    // A list with details calls stat while it holds a permit: if it needed a second one, concurrent lists could deadlock.
    if (this.listing.has(ctx)) return this.inner.stat(ref, ctx);
    return this.limited('request', ctx, () => this.inner.stat(ref, ctx));
  }

  override delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    return this.limited('request', ctx, () => this.inner.delete(ref, ctx));
  }

  override put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    const operation = ref.kind === 'lock' ? 'request' : 'upload';
    return this.limited(operation, ctx, () => this.inner.put(ref, body, ctx));
  }

  override async get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead> {
    const end = await this.limits.acquire(this.caller, 'request', ctx);
    try {
      const read = await this.inner.get(ref, range, ctx);
      const { objectSize, length, data } = read;
      const release = (sent?: boolean): void => {
        read.release(sent);
        end();
      };
      return { objectSize, length, data, release };
    } catch (error) {
      end();
      throw error;
    }
  }

  override async *list(kind: ObjectKind, ctx: OpContext): ReturnType<Store['list']> {
    const end = await this.limits.acquire(this.caller, 'request', ctx);
    this.listing.add(ctx);
    try {
      yield* this.inner.list(kind, ctx);
    } finally {
      this.listing.delete(ctx);
      end();
    }
  }

  private async limited<T>(operation: 'request' | 'upload', ctx: OpContext, work: () => Promise<T>): Promise<T> {
    const end = await this.limits.acquire(this.caller, operation, ctx);
    try {
      return await work();
    } finally {
      end();
    }
  }
}
