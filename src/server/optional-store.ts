import { StoreError } from '../core/errors.js';
import type { StoreInfo } from '../core/store.js';
import type { OpenedStore } from '../backends/backend.js';
import { Layer } from '../layers/layer.js';
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
export class OptionalStore extends Layer implements OpenedStore {
  /** A stand-in until the store is open. */
  declare protected inner: OpenedStore;
  private pauseMs = firstPauseMs;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  private constructor(private readonly options: OptionalStoreOptions) {
    super(unreachable(options.info));
  }

  /** Resolves when the store is open, or after a while if it isn't. Never fails. */
  static async open(options: OptionalStoreOptions): Promise<OptionalStore> {
    const store = new OptionalStore(options);
    let limit: NodeJS.Timeout | undefined;
    await Promise.race([store.attempt(), new Promise((resolve) => (limit = setTimeout(resolve, startMs)))]);
    clearTimeout(limit);
    return store;
  }

  async sweep(): Promise<number> {
    return (await this.inner.sweep?.()) ?? 0;
  }

  override async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.inner.close();
  }

  private async attempt(): Promise<void> {
    const { open, log } = this.options;
    try {
      const store = await open();
      if (this.isClosed) return await store.close();
      this.inner = store;
      if (this.pauseMs > firstPauseMs) log.info({}, 'an optional store is open now');
    } catch (error) {
      if (this.isClosed) return;
      log.warn({}, `${(error as Error).message}: it is optional, and tried again in ${this.pauseMs / 1000} s`);
      this.timer = setTimeout(() => void this.attempt(), this.pauseMs).unref();
      this.pauseMs = Math.min(this.pauseMs * 2, maxPauseMs);
    }
  }
}

/** A store of which every operation fails with `unavailable`. */
function unreachable(info: StoreInfo): OpenedStore {
  const fail = async (): Promise<never> => {
    throw new StoreError('unavailable', "the store can't be reached: it is tried again every minute");
  };
  return {
    info: () => info,
    config: fail,
    list: () => ({ [Symbol.asyncIterator]: () => ({ next: fail }) }),
    stat: fail,
    get: fail,
    put: fail,
    delete: fail,
    close: async () => undefined,
  };
}
