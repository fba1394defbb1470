import { StoreError } from '../core/errors.js';
import type { ObjectKind, ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectRead, ObjectStat, OpContext, PutResult, Store, StoreInfo } from '../core/store.js';
import type { OpenedStore } from '../backends/backend.js';
import type { Logger } from '../lib/logger.js';

/** How long the start waits for the store, in milliseconds. */
const startMs = 3000;

/** The first and the longest pause between two attempts, in milliseconds. */
const firstPauseMs = 1000;
const maxPauseMs = 60_000;

export interface OptionalStoreOptions {
  /** Opens the store. Fails with a message for the operator. */
  readonly open: () => Promise<OpenedStore>;
  /** The info until it is open. */
  readonly info: StoreInfo;
  readonly log: Logger;
}

/** A store that may be opened later, when it can be reached. Until then every operation fails with `unavailable`. */
export class OptionalStore implements OpenedStore {
  private opened: OpenedStore | undefined;
  private pauseMs = firstPauseMs;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  private constructor(private readonly options: OptionalStoreOptions) {}

  /** Resolves when the store is open, or after a while if it isn't. Never fails. */
  static async open(options: OptionalStoreOptions): Promise<OptionalStore> {
    const store = new OptionalStore(options);
    let limit: NodeJS.Timeout | undefined;
    await Promise.race([store.attempt(), new Promise((resolve) => (limit = setTimeout(resolve, startMs)))]);
    clearTimeout(limit);
    return store;
  }

  info(): StoreInfo {
    return this.opened?.info() ?? this.options.info;
  }

  async config(ctx: OpContext): Promise<Uint8Array> {
    return this.inner.config(ctx);
  }

  async *list(kind: ObjectKind, ctx: OpContext): ReturnType<Store['list']> {
    yield* this.inner.list(kind, ctx);
  }

  async stat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat> {
    return this.inner.stat(ref, ctx);
  }

  async get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead> {
    return this.inner.get(ref, range, ctx);
  }

  async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    return this.inner.put(ref, body, ctx);
  }

  async delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    return this.inner.delete(ref, ctx);
  }

  async sweep(): Promise<number> {
    return (await this.opened?.sweep?.()) ?? 0;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.opened?.close();
  }

  private get inner(): Store {
    if (this.opened !== undefined) return this.opened;
    throw new StoreError('unavailable', "the store can't be reached: it is tried again every minute");
  }

  private async attempt(): Promise<void> {
    const { open, log } = this.options;
    try {
      const store = await open();
      if (this.isClosed) return await store.close();
      this.opened = store;
      if (this.pauseMs > firstPauseMs) log.info({}, 'an optional store is open now');
    } catch (error) {
      if (this.isClosed) return;
      log.warn({}, `${(error as Error).message}: it is optional, and tried again in ${this.pauseMs / 1000} s`);
      this.timer = setTimeout(() => void this.attempt(), this.pauseMs).unref();
      this.pauseMs = Math.min(this.pauseMs * 2, maxPauseMs);
    }
  }
}
