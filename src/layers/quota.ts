import { ifPresent, StoreError } from '../core/errors.js';
import type { ObjectRef } from '../core/object.js';
import type { OpContext, PutResult, Store } from '../core/store.js';
import { watched } from '../lib/watched.js';
import { Layer } from './layer.js';
import { objectName } from './scan.js';
import { Usage, type UsageOptions } from './usage.js';

/** A running upload: how many of its bytes arrived, and how many of them are reserved. */
interface Upload {
  readonly ref: ObjectRef;
  received: number;
  reserved: number;
  /** False once the object is known to exist, so that nothing is reserved for it. */
  counts: boolean;
}

export interface QuotaOptions extends UsageOptions {
  /** Whether deleted objects go to the trash, and count there. Default: false. */
  readonly keepsDeleted?: boolean;
}

/**
 * A store decorator that limits the total size of packfiles and states. Locks are small and short-lived, and are not limited. There is one
 * for each store, inside the per-caller layers.
 *
 * - An upload's bytes are reserved as they arrive, so concurrent uploads never exceed the quota together. A failed upload gives its bytes
 *   back. The quota can be used up to the last byte.
 * - An object that exists can be put again at a full quota, because that changes nothing: if an upload finds no room, but its object exists,
 *   it continues without a reservation, and the store compares the bytes.
 * - Puts wait for the first scan, which measures the store.
 * - If the quota is lowered, or others write to the store, it may be over its quota; then nothing new is accepted.
 * - What others remove makes room at the next scan, which an upload that finds none brings forward.
 */
export class Quota extends Layer {
  private readonly usage: Usage;
  private reserved = 0;
  private readonly deleting = new Set<string>();

  /** @param maxBytes the quota; a change applies to running uploads as well */
  constructor(
    inner: Store,
    public maxBytes: number,
    private readonly options: QuotaOptions,
  ) {
    super(inner);
    this.usage = new Usage(inner, options);
  }

  /** The total size of packfiles and states in bytes; undefined before the first scan. */
  get usedBytes(): number | undefined {
    return this.usage.bytes;
  }

  /**
   * Resolves to the total size of packfiles and states in bytes once it is known. Fails with `unavailable` if it can't be determined at the
   * moment, and with `canceled` if the signal aborts first.
   */
  measuredBytes(ctx: OpContext): Promise<number> {
    return this.usage.known(ctx);
  }

  /** Starts to measure the store, in the background. */
  start(): void {
    this.usage.start();
  }

  /** Stops the background work, and leaves the store open. */
  stop(): Promise<void> {
    return this.usage.stop();
  }

  override async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    if (ref.kind === 'lock') return this.inner.put(ref, body, ctx);
    await this.usage.known(ctx);
    const upload: Upload = { ref, received: 0, reserved: 0, counts: true };
    const counted = watched(body, { chunk: ({ length }) => this.count(upload, length, ctx) });
    const ended = this.usage.putBegins(ref);
    let createdBytes = 0;
    try {
      const result = await this.inner.put(ref, counted, ctx);
      if (result.created) createdBytes = upload.received;
      return result;
    } finally {
      // In one step, so that no other upload sees the bytes counted twice or not at all.
      this.reserved -= upload.reserved;
      ended(createdBytes);
    }
  }

  /** Of concurrent deletes of one object only the first is counted. If it fails and another one succeeds, the next scan corrects it. */
  override async delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    const name = objectName(ref);
    if (ref.kind === 'lock' || this.deleting.has(name)) return this.inner.delete(ref, ctx);
    this.deleting.add(name);
    try {
      const stat = await ifPresent(this.inner.stat(ref, ctx));
      await this.inner.delete(ref, ctx);
      if (stat === undefined) return;
      if (this.options.keepsDeleted === true) this.usage.trashed(stat.size);
      else this.usage.deleted(stat.size);
    } finally {
      this.deleting.delete(name);
    }
  }

  /** Must be called when an object of this size was removed from the trash. */
  purged(bytes: number): void {
    if (this.options.trash !== undefined) this.usage.deleted(bytes);
  }

  override async close(): Promise<void> {
    await this.stop();
    await super.close();
  }

  private count(upload: Upload, bytes: number, ctx: OpContext): void | Promise<void> {
    upload.received += bytes;
    if (upload.counts && !this.reserve(upload, bytes)) return this.continueIfPresent(upload, ctx);
  }

  private async continueIfPresent(upload: Upload, ctx: OpContext): Promise<void> {
    if ((await ifPresent(this.inner.stat(upload.ref, ctx))) === undefined) {
      this.usage.rescan();
      throw this.usedUp(upload.ref);
    }
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

  private usedUp({ kind }: ObjectRef): StoreError {
    const remedy = this.options.keepsDeleted === true ? 'purge the trash, which counts' : 'delete old snapshots';
    return new StoreError(
      'no_space',
      `this store's quota of ${this.maxBytes} bytes leaves no room for this ${kind}: the gateway's operator can raise it, or ${remedy}`,
    );
  }
}
