import type { ObjectKind, ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectStat, OpContext, PutResult, Store, StoreInfo } from '../core/store.js';

/** A store decorator that passes every operation on. Layers extend it and override what they change. */
export abstract class Layer implements Store {
  constructor(protected readonly inner: Store) {}

  info(): StoreInfo {
    return this.inner.info();
  }

  config(ctx: OpContext): Promise<Uint8Array> {
    return this.inner.config(ctx);
  }

  list(kind: ObjectKind, ctx: OpContext): ReturnType<Store['list']> {
    return this.inner.list(kind, ctx);
  }

  /** The inner store's, where it has it, unless this layer changes `list`: one that does must do the same here, or it lacks this. */
  get listStats(): Store['listStats'] {
    const { inner } = this;
    return this.list === Layer.prototype.list ? inner.listStats?.bind(inner) : undefined;
  }

  stat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat> {
    return this.inner.stat(ref, ctx);
  }

  get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): ReturnType<Store['get']> {
    return this.inner.get(ref, range, ctx);
  }

  put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    return this.inner.put(ref, body, ctx);
  }

  delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    return this.inner.delete(ref, ctx);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
