import type { DigestStorage } from '../../core/digests.js';
import { StoreError } from '../../core/errors.js';
import type { Store, StoreInfo } from '../../core/store.js';
import type { Trash } from '../../core/trash.js';
import type { OpenedStore } from '../../backends/backend.js';
import { Layer } from '../../layers/layer.js';
import type { Logger } from '../../lib/logger.js';
import { lateDigests } from './late-digests.js';

/** How long the start waits for the store, in milliseconds. */
const defaultWaitMs = 3000;

/** The first and the longest pause between two attempts, in milliseconds. */
const firstPauseMs = 1000;
const maxPauseMs = 60_000;

export interface OptionalStoreOptions {
  /** Opens the store. Fails with a message for the operator. */
  readonly open: () => Promise<OpenedStore>;
  /** The info until it is open. */
  readonly info: StoreInfo;
  readonly log: Logger;
  /** What it is, for the log. Default: `optional`. */
  readonly role?: string;
  /** How long `OptionalStore.open` waits for the store, in milliseconds. Default: 3 s. */
  readonly waitMs?: number;
}

/** A store that may be opened later, when it can be reached. Until then every operation fails with `unavailable`. */
export class OptionalStore extends Layer implements OpenedStore {
  /** A stand-in until the store is open. */
  declare protected inner: OpenedStore;
  private failure: string | undefined;
  private pauseMs = firstPauseMs;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  /** Resolves once it was tried for the first time to open the store. */
  readonly attempted: Promise<void>;
  private readonly ownTrash = latest(() => this.inner.trash);
  private readonly ownDigests = lateDigests(() => this.inner.digests);

  private constructor(
    private readonly options: OptionalStoreOptions,
    private readonly standIn = unreachable(options.info),
  ) {
    super(standIn);
    this.attempted = this.attempt();
  }

  /** Resolves when the store is open, or after a while if it isn't. Never fails. */
  static async open(options: OptionalStoreOptions): Promise<OptionalStore> {
    const store = new OptionalStore(options);
    const { waitMs = defaultWaitMs } = options;
    let limit: NodeJS.Timeout | undefined;
    await Promise.race([store.attempted, new Promise((resolve) => (limit = setTimeout(resolve, waitMs)))]);
    clearTimeout(limit);
    return store;
  }

  /** Why it isn't open, for the operator; undefined if it is, or while it is opened for the first time. */
  get problem(): string | undefined {
    return this.failure;
  }

  async sweep(): Promise<number> {
    return (await this.inner.sweep?.()) ?? 0;
  }

  async freeBytes(): Promise<number | undefined> {
    return this.inner.freeBytes?.();
  }

  /** Also until it is known whether the store has one: its operations fail with `unavailable` then. */
  get trash(): Trash | undefined {
    return this.inner.trash && this.ownTrash;
  }

  /** As `trash`. */
  get digests(): DigestStorage | undefined {
    return this.inner.digests && this.ownDigests;
  }

  asOf(momentMs: number): Store | undefined {
    return this.inner.asOf?.(momentMs);
  }

  override async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.inner.close();
  }

  /** Closes the store and opens it anew, if it is open: with other credentials, for instance. Operations fail meanwhile. Never rejects. */
  async reopen(): Promise<void> {
    const { inner, standIn } = this;
    if (inner === standIn) return;
    this.inner = standIn;
    await inner.close().catch(() => undefined);
    await this.attempt();
  }

  private async attempt(): Promise<void> {
    const { open, log, role = 'optional' } = this.options;
    try {
      const store = await open();
      if (this.isClosed) return await store.close();
      this.inner = store;
      this.failure = undefined;
      if (this.pauseMs > firstPauseMs) log.info({}, `a store that is ${role} is open now`);
      this.pauseMs = firstPauseMs;
    } catch (error) {
      if (this.isClosed) return;
      this.failure = (error as Error).message;
      log.warn({}, `${this.failure}: it is ${role}, and tried again in ${this.pauseMs / 1000} s`);
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
    trash: {
      list: () => ({ [Symbol.asyncIterator]: () => ({ next: fail }) }),
      stat: fail,
      get: fail,
      discard: fail,
      restore: fail,
      remove: fail,
    },
    digests: {
      isDurable: false,
      maxSegmentBytes: 0,
      list: fail,
      read: () => ({ [Symbol.asyncIterator]: () => ({ next: fail }) }),
      create: fail,
    },
  };
}

/** The trash that a store has at the time of an operation. */
function latest(trashOf: () => Trash | undefined): Trash {
  const trash = (): Trash => {
    const found = trashOf();
    if (found === undefined) throw new StoreError('unimplemented', 'this store has no trash');
    return found;
  };
  return {
    get purgeEveryMs() {
      return trashOf()?.purgeEveryMs;
    },
    list: (ctx, deletedBeforeMs) => trash().list(ctx, deletedBeforeMs),
    version: async (ctx) => trash().version?.(ctx),
    stat: async (object, ctx) => trash().stat(object, ctx),
    get: async (object, range, ctx) => trash().get(object, range, ctx),
    discard: async (ref) => trash().discard(ref),
    restore: async (object) => trash().restore(object),
    remove: async (object) => trash().remove(object),
  };
}
