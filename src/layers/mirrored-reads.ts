import { canceled, StoreError, type ErrorCode } from '../core/errors.js';
import type { ObjectRef } from '../core/object.js';
import { clip, maxRangeLength, type ByteRange } from '../core/range.js';
import type { ObjectRead, OpContext, Store } from '../core/store.js';
import { untilAborted } from '../lib/until-aborted.js';
import { Layer } from './layer.js';
import { MirrorSizes } from './mirror-sizes.js';

/** What is wrong with an object: completes "the packfile …". */
export type Loss = 'is missing' | 'is cut off' | "can't be read";

export interface MirroredReadsOptions {
  /** The other copy. */
  readonly mirror: Pick<Store, 'get' | 'stat'>;
  /** Called for each read that the mirror answered, or the rest of one. Never fails. */
  readonly answered: (ref: ObjectRef, loss: Loss) => void;
  /** How long a read waits for the start of the mirror's answer, in milliseconds. Default: 10 s. */
  readonly limitMs?: number;
}

const defaultLimitMs = 10_000;

/** Errors of a read after which the mirror is asked: it is not the caller's fault, and the object may be well there. */
const lossOf: Partial<Record<ErrorCode, Loss>> = {
  not_found: 'is missing',
  unavailable: "can't be read",
  internal: "can't be read",
};

/**
 * A store decorator that answers reads of packfiles and states from a mirror where the store doesn't have them, or can't read them. What is
 * shorter than in the mirror counts as cut off; that is looked at for whole objects, and for ranges that go beyond the end. Everything else
 * is as the store has it: lists and `stat` show what is lost; so are reads of its own copy. The outermost of the layers that all callers share.
 */
export class MirroredReads extends Layer {
  private readonly sizes: MirrorSizes;

  constructor(
    inner: Store,
    private readonly options: MirroredReadsOptions,
  ) {
    super(inner);
    this.sizes = new MirrorSizes(options.mirror);
  }

  override async get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead> {
    if (ref.kind === 'lock' || ctx.ownCopy === true) return this.inner.get(ref, range, ctx);
    let read: ObjectRead;
    try {
      read = await this.inner.get(ref, range, ctx);
    } catch (error) {
      return this.instead(ref, range, ctx, error);
    }
    if (range === undefined || read.length < range.length) {
      const size = await this.sizes.of(ref, ctx);
      const whole = size !== undefined && size > read.objectSize && (await this.fromMirror(ref, range, ctx));
      if (whole) {
        read.release();
        this.options.answered(ref, 'is cut off');
        return whole;
      }
    }
    return read.data instanceof Uint8Array ? read : this.completed(ref, range, read, read.data, ctx);
  }

  /** The mirror's answer in the place of an error; fails with that error where the mirror has none. */
  private async instead(
    ref: ObjectRef,
    range: ByteRange | undefined,
    ctx: OpContext,
    error: unknown,
  ): Promise<ObjectRead> {
    const loss = lossOf[StoreError.from(error).code];
    const read = loss && (await this.fromMirror(ref, range, ctx));
    if (loss === undefined || read === undefined) throw error;
    this.options.answered(ref, loss);
    return read;
  }

  /** A read in chunks; if it breaks off, the rest comes from the mirror. */
  private completed(
    ref: ObjectRef,
    range: ByteRange | undefined,
    read: ObjectRead,
    chunks: AsyncIterable<Uint8Array>,
    ctx: OpContext,
  ): ObjectRead {
    const { objectSize, length } = read;
    const { offset } = clip(range, objectSize);
    const rest = (sent: number, error: unknown): Promise<ObjectRead> =>
      this.rest(ref, { offset: offset + sent, length: length - sent }, objectSize, ctx, error);
    async function* data(): AsyncGenerator<Uint8Array, void, undefined> {
      let sent = 0;
      let other: ObjectRead;
      try {
        for await (const chunk of chunks) {
          yield chunk;
          sent += chunk.length;
        }
        return;
      } catch (error) {
        other = await rest(sent, error);
      }
      try {
        if (other.data instanceof Uint8Array) yield other.data;
        else yield* other.data;
      } finally {
        // A socket may still refer to the last chunk.
        other.release(false);
      }
    }
    return { objectSize, length, data: data(), release: (sent) => read.release(sent) };
  }

  /** The range that is missing of a read that broke off with `error`; fails with that if the mirror doesn't have it. */
  private async rest(
    ref: ObjectRef,
    range: ByteRange,
    objectSize: number,
    ctx: OpContext,
    error: unknown,
  ): Promise<ObjectRead> {
    if (range.length < 1 || range.length > maxRangeLength) throw error;
    const read = await this.instead(ref, range, ctx, error);
    if (read.objectSize === objectSize) return read;
    read.release();
    throw error;
  }

  private async fromMirror(
    ref: ObjectRef,
    range: ByteRange | undefined,
    ctx: OpContext,
  ): Promise<ObjectRead | undefined> {
    const { mirror, limitMs = defaultLimitMs } = this.options;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(canceled()), limitMs).unref();
    const signal = AbortSignal.any([ctx.signal, limit.signal]);
    const reading = mirror.get(ref, range, { signal });
    try {
      return await untilAborted(reading, signal);
    } catch {
      // Why the mirror has none is of no interest: the caller gets what the store says. An answer that comes too late is of no use.
      void reading.then((read) => read.release()).catch(() => undefined);
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }
}
