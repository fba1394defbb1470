import type { ObjectKind, ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectRead, ObjectStat, OpContext, PutResult, Store } from '../core/store.js';
import { Layer } from './layer.js';
import type { Turn, Turns } from './turns.js';

/**
 * A store that each operation takes a turn for, and keeps it until its caller is done: a get until the bytes are let go of, a
 * list until it ends, also early. Uploads of packfiles and states take one of the turns for uploads besides. Locks are small,
 * and a backup fails without them, so they don't wait for uploads.
 */
export class Limited extends Layer {
  /** Requests whose list is under way. Made by the first one: most stores are made for one request, and few of them are lists. */
  private listing: WeakSet<OpContext> | undefined;

  /** @param key names the caller among those who share `turns` */
  constructor(
    inner: Store,
    private readonly turns: Turns,
    private readonly key: string,
  ) {
    super(inner);
  }

  override config(ctx: OpContext): Promise<Uint8Array> {
    return this.inTurn(ctx, () => this.inner.config(ctx));
  }

  override stat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat> {
    // A list with details has its turn: if it waited for another one, some lists at once would all wait for each other.
    if (this.listing?.has(ctx) === true) return this.inner.stat(ref, ctx);
    return this.inTurn(ctx, () => this.inner.stat(ref, ctx));
  }

  override delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    return this.inTurn(ctx, () => this.inner.delete(ref, ctx));
  }

  override async get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): ReturnType<Store['get']> {
    const turn = await this.turns.take(this.key, ctx);
    try {
      return new ReadInTurn(turn, await this.inner.get(ref, range, ctx));
    } catch (error) {
      turn.end();
      throw error;
    }
  }

  override async *list(kind: ObjectKind, ctx: OpContext): ReturnType<Store['list']> {
    const turn = await this.turns.take(this.key, ctx);
    const listing = (this.listing ??= new WeakSet());
    listing.add(ctx);
    try {
      yield* this.inner.list(kind, ctx);
    } finally {
      listing.delete(ctx);
      turn.end();
    }
  }

  override async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    const { turns, key } = this;
    const turn = await (ref.kind === 'lock' ? turns.take(key, ctx) : turns.takeUpload(key, ctx));
    try {
      return await this.inner.put(ref, body, ctx);
    } finally {
      turn.end();
    }
  }

  private inTurn<T>(ctx: OpContext, work: () => Promise<T>): Promise<T> {
    const turn = this.turns.take(this.key, ctx);
    return turn instanceof Promise ? turn.then((taken) => untilSettled(taken, work())) : untilSettled(turn, work());
  }
}

/** Gives the same promise back, so that nobody waits for the turn's end. */
function untilSettled<T>(turn: Turn, result: Promise<T>): Promise<T> {
  const end = (): void => turn.end();
  result.then(end, end);
  return result;
}

/** A read that keeps its turn until it is released. */
class ReadInTurn implements ObjectRead {
  readonly objectSize: number;
  readonly length: number;
  readonly data: ObjectRead['data'];

  constructor(
    private readonly turn: Turn,
    private readonly read: ObjectRead,
  ) {
    this.objectSize = read.objectSize;
    this.length = read.length;
    this.data = read.data;
  }

  release(sent?: boolean): void {
    this.read.release(sent);
    this.turn.end();
  }
}
