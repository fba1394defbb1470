import { hasCode, StoreError } from '../core/errors.js';
import type { ObjectRef } from '../core/object.js';
import type { OpContext, PutResult, Store } from '../core/store.js';
import { watched } from '../lib/watched.js';
import { Layer } from './layer.js';
import { objectName } from './scan.js';
import { Usage, type UsageOptions } from './usage.js';

/** An upload that is under way: how much of it came, and how much of that is taken off what the quota leaves. */
interface Upload {
  readonly ref: ObjectRef;
  received: number;
  reserved: number;
  /** Whether it takes anything. */
  counts: boolean;
}

/**
 * A store whose packfiles and states may have so many bytes together; locks are small, come and go, and always pass. One for
 * each store, below what is particular to a caller.
 *
 * - An upload's bytes count as they come, so several at once never have more than there is room for. Which of them fail is a matter
 *   of who comes first; what a failed one took is given back. The exact number of bytes is allowed, and not one more.
 * - What is there already can be put again at a full quota, since that changes nothing: where an upload finds no room, and its
 *   name is taken, it goes on without counting, and the store compares the bytes.
 * - Puts wait for the first scan, which finds out how much the store has.
 * - A lower quota, or others who write to the store, may leave it over the quota: nothing new is taken then.
 */
export class Quota extends Layer {
  private readonly usage: Usage;
  private reserved = 0;
  private readonly deleting = new Set<string>();

  /** @param maxBytes how much the store may have; when it is changed, uploads that are under way go by it as well */
  constructor(
    inner: Store,
    public maxBytes: number,
    options: UsageOptions,
  ) {
    super(inner);
    this.usage = new Usage(inner, options);
  }

  /** How many bytes the store's packfiles and states have; undefined as long as that isn't known. */
  get usedBytes(): number | undefined {
    return this.usage.bytes;
  }

  /** Begins to find out how much the store has, in the background. */
  start(): void {
    this.usage.start();
  }

  /** Ends what goes on in the background, and leaves the store open. */
  stop(): Promise<void> {
    return this.usage.stop();
  }

  override async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    if (ref.kind === 'lock') return this.inner.put(ref, body, ctx);
    await this.usage.known(ctx);
    const upload: Upload = { ref, received: 0, reserved: 0, counts: true };
    const counted = watched(body, { chunk: ({ length }) => this.count(upload, length, ctx) });
    const over = this.usage.putBegins(ref);
    let createdBytes = 0;
    try {
      const result = await this.inner.put(ref, counted, ctx);
      if (result.created) createdBytes = upload.received;
      return result;
    } finally {
      // What was reserved and what is stored change hands at once: nobody sees the bytes twice, or not at all.
      this.reserved -= upload.reserved;
      over(createdBytes);
    }
  }

  /** Of several deletes of one object at once the first one counts. Where only another one succeeds, the next scan finds out. */
  override async delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    const name = objectName(ref);
    if (ref.kind === 'lock' || this.deleting.has(name)) return this.inner.delete(ref, ctx);
    this.deleting.add(name);
    try {
      const bytes = await this.sizeOf(ref, ctx);
      await this.inner.delete(ref, ctx);
      if (bytes !== undefined) this.usage.deleted(bytes);
    } finally {
      this.deleting.delete(name);
    }
  }

  override async close(): Promise<void> {
    await this.stop();
    await super.close();
  }

  private count(upload: Upload, bytes: number, ctx: OpContext): void | Promise<void> {
    upload.received += bytes;
    if (upload.counts && !this.reserve(upload, bytes)) return this.passIfPresent(upload, ctx);
  }

  private async passIfPresent(upload: Upload, ctx: OpContext): Promise<void> {
    if ((await this.sizeOf(upload.ref, ctx)) === undefined) throw this.usedUp(upload.ref);
    upload.counts = false;
    this.reserved -= upload.reserved;
    upload.reserved = 0;
  }

  private reserve(upload: Upload, bytes: number): boolean {
    if ((this.usage.bytes ?? 0) + this.reserved + bytes > this.maxBytes) return false;
    this.reserved += bytes;
    upload.reserved += bytes;
    return true;
  }

  /** The object's size; undefined where it isn't there. */
  private async sizeOf(ref: ObjectRef, ctx: OpContext): Promise<number | undefined> {
    try {
      return (await this.inner.stat(ref, ctx)).size;
    } catch (error) {
      if (hasCode(error, 'not_found')) return undefined;
      throw error;
    }
  }

  private usedUp({ kind }: ObjectRef): StoreError {
    return new StoreError(
      'no_space',
      `this store's quota of ${this.maxBytes} bytes leaves no room for this ${kind}: its operator can raise it, or remove what is old`,
    );
  }
}
