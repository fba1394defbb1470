import { canceled, StoreError } from '../core/errors.js';
import type { ObjectKind, ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectRead, ObjectStat, OpContext, PutResult, Store } from '../core/store.js';
import { Semaphore } from '../lib/semaphore.js';
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

/** How much one caller may do at once. */
export interface LimitsPerCaller {
  /** Operations, uploads among them. */
  readonly maxRequests: number;
  /** Uploads of packfiles and states. */
  readonly maxUploads: number;
  /** How long an operation over a limit waits for a permit, in milliseconds. */
  readonly queueMs: number;
}

interface ActiveCaller {
  readonly requests: Semaphore;
  readonly uploads: Semaphore;
  /** How many operations run or wait. */
  operations: number;
}

/** Limits what each caller does at once. Each caller has its own queue, so no caller waits for another one. */
export class CallerLimits {
  private readonly active = new Map<string, ActiveCaller>();

  constructor(private limits: LimitsPerCaller) {}

  /** How many callers have operations that run or wait. */
  get activeCallers(): number {
    return this.active.size;
  }

  /** Changes the limits, for waiting operations as well. Running ones go on. */
  setLimits(limits: LimitsPerCaller): void {
    this.limits = limits;
    for (const { requests, uploads } of this.active.values()) {
      requests.resize(limits.maxRequests);
      uploads.resize(limits.maxUploads);
    }
  }

  /**
   * Waits until a caller may run one more operation. Resolves to a function that ends it, to be called once. Fails with
   * `too_many_requests` after `queueMs`, and with `canceled` if the request is canceled first.
   *
   * @param key identifies the caller
   */
  async acquire(key: string, operation: 'request' | 'upload', ctx: OpContext): Promise<() => void> {
    const deadlineMs = performance.now() + this.limits.queueMs;
    const caller = this.enter(key);
    const held: Semaphore[] = [];
    const release = (): void => {
      for (const semaphore of held) semaphore.release();
      if (--caller.operations === 0) this.active.delete(key);
    };
    // Uploads first: an upload that waits for others holds no permit that a read could use.
    const semaphores = operation === 'upload' ? [caller.uploads, caller.requests] : [caller.requests];
    try {
      for (const semaphore of semaphores) {
        const acquired =
          semaphore.tryAcquire() ||
          (await semaphore.acquire({ signal: ctx.signal, timeoutMs: deadlineMs - performance.now() }));
        if (!acquired) throw this.tooMany(semaphore === caller.uploads ? 'uploads' : 'requests');
        held.push(semaphore);
      }
      return release;
    } catch (error) {
      release();
      throw error instanceof StoreError ? error : canceled(error);
    }
  }

  private enter(key: string): ActiveCaller {
    const { maxRequests, maxUploads } = this.limits;
    const caller = this.active.get(key) ?? {
      requests: new Semaphore(maxRequests),
      uploads: new Semaphore(maxUploads),
      operations: 0,
    };
    this.active.set(key, caller);
    caller.operations++;
    return caller;
  }

  private tooMany(what: 'uploads' | 'requests'): StoreError {
    const { maxRequests, maxUploads, queueMs } = this.limits;
    const limit = what === 'uploads' ? maxUploads : maxRequests;
    return new StoreError(
      'too_many_requests',
      `too many ${what} at once: the limit for each caller is ${limit}, and none of yours ended within ${queueMs / 1000} s; ` +
        'send fewer in parallel, or try again later',
    );
  }
}
