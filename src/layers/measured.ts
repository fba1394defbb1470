import { StoreError, type ErrorCode } from '../core/errors.js';
import type { ObjectKind, ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { StoreObserver, StoreOperation } from '../core/store-observer.js';
import type { ObjectRead, ObjectStat, OpContext, PutResult, Store } from '../core/store.js';
import { watched } from '../lib/watched.js';
import { Layer } from './layer.js';

/**
 * A store decorator that tells an observer of every operation. It is the innermost layer, so that it measures the backend. It has to be
 * cheap: a read of a small range takes some 100 µs in all.
 */
export class Measured extends Layer {
  constructor(
    inner: Store,
    private readonly observer: StoreObserver,
  ) {
    super(inner);
  }

  override config(ctx: OpContext): Promise<Uint8Array> {
    return this.observer.isActive ? this.timed('config', () => this.inner.config(ctx)) : this.inner.config(ctx);
  }

  override list(kind: ObjectKind, ctx: OpContext): ReturnType<Store['list']> {
    return this.observer.isActive ? this.timedList(() => this.inner.list(kind, ctx)) : this.inner.list(kind, ctx);
  }

  /** Counts as a list. */
  override get listStats(): Store['listStats'] {
    const listStats = this.inner.listStats?.bind(this.inner);
    if (listStats === undefined || !this.observer.isActive) return listStats;
    return (kind, ctx) => this.timedList(() => listStats(kind, ctx));
  }

  override stat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat> {
    return this.observer.isActive ? this.timed('stat', () => this.inner.stat(ref, ctx)) : this.inner.stat(ref, ctx);
  }

  override get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead> {
    return this.observer.isActive ? this.timedGet(ref, range, ctx) : this.inner.get(ref, range, ctx);
  }

  override put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    return this.observer.isActive ? this.timedPut(ref, body, ctx) : this.inner.put(ref, body, ctx);
  }

  override delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    return this.observer.isActive
      ? this.timed('delete', () => this.inner.delete(ref, ctx))
      : this.inner.delete(ref, ctx);
  }

  private async timed<T>(name: StoreOperation, run: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    let code: ErrorCode | 'ok' = 'ok';
    try {
      return await run();
    } catch (error) {
      code = StoreError.from(error).code;
      throw error;
    } finally {
      this.observer.operation(name, code, performance.now() - startMs);
    }
  }

  private async *timedList<T>(list: () => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    const startMs = performance.now();
    let code: ErrorCode | 'ok' = 'ok';
    try {
      yield* list();
    } catch (error) {
      code = StoreError.from(error).code;
      throw error;
    } finally {
      this.observer.operation('list', code, performance.now() - startMs);
    }
  }

  private async timedGet(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead> {
    const { observer } = this;
    const startMs = performance.now();
    let read: ObjectRead;
    try {
      read = await this.inner.get(ref, range, ctx);
    } catch (error) {
      observer.operation('get', StoreError.from(error).code, performance.now() - startMs);
      throw error;
    }
    const ms = performance.now() - startMs;
    const { data } = read;
    if (!(data instanceof Uint8Array)) return observedRead(read, data, ms, observer);
    observer.operation('get', 'ok', ms);
    observer.read(data.length);
    return read;
  }

  private async timedPut(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    const { observer } = this;
    const counted = watched(body, { chunk: ({ length }) => observer.written(length) });
    observer.uploads(1);
    try {
      return await this.timed('put', () => this.inner.put(ref, counted, ctx));
    } finally {
      observer.uploads(-1);
    }
  }
}

/** A read in chunks, which may still fail: whether it did is known when it is released. */
function observedRead(
  read: ObjectRead,
  chunks: AsyncIterable<Uint8Array>,
  ms: number,
  observer: StoreObserver,
): ObjectRead {
  let code: ErrorCode | 'ok' = 'ok';
  async function* data(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of chunks) {
        observer.read(chunk.length);
        yield chunk;
      }
    } catch (error) {
      code = StoreError.from(error).code;
      throw error;
    }
  }
  const { objectSize, length } = read;
  const release = (sent?: boolean): void => {
    observer.operation('get', code, ms);
    read.release(sent);
  };
  return { objectSize, length, data: data(), release };
}
