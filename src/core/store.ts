import type { Access } from './access.js';
import type { MacBatch } from './mac-batch.js';
import type { ObjectKind, ObjectRef } from './object.js';
import type { ByteRange } from './range.js';

/** What a store is, as seen through every layer above it: a layer may narrow it, never widen it. */
export interface StoreInfo {
  /** What whoever holds this Store may do. */
  readonly access: Access;
  /** The largest packfile or state that a put may have, in bytes. */
  readonly maxObjectBytes: number;
  /** Whether an acknowledged put is synced to disk. */
  readonly durable: boolean;
}

export interface ObjectStat {
  /** In bytes. */
  readonly size: number;
  /** When it was last written, in milliseconds since 1970-01-01 UTC. */
  readonly modifiedMs: number;
}

/** The answer to a get. Whoever has it calls `release` exactly once, in every outcome, when done with the bytes. */
export interface ObjectRead {
  /** The whole object's size in bytes. */
  readonly objectSize: number;
  /** How many bytes this answer has: the range, cut to the object. */
  readonly length: number;
  /**
   * The bytes: one buffer where they are few, so that a small answer is one write on the wire; chunks otherwise, which can
   * be iterated once. A buffer's bytes are valid until `release`, a chunk's until the next one is asked for. Chunks that end
   * before `length` throw instead of ending.
   */
  readonly data: Uint8Array | AsyncIterable<Uint8Array>;
  /**
   * Gives back what the read holds. Never fails.
   *
   * @param sent whether nobody looks at a buffer any more, so that it may be used for other bytes; false where a write of it was
   *   given up, and may still be under way
   */
  release(sent?: boolean): void;
}

export interface PutResult {
  /** False where the same bytes were there already, and nothing changed. */
  readonly created: boolean;
}

/** What every operation is told about its circumstances. */
export interface OpContext {
  /**
   * Aborts when the caller is gone or the gateway stops. An operation that would otherwise wait without limit, for a permit for
   * example, then fails with `canceled`; others may go on to their end. A put or delete that was canceled may have been done.
   */
  readonly signal: AbortSignal;
}

/**
 * The contract that every backend and layer keeps, and every frontend relies on. Each clause is a test in
 * test/conformance/store-suite.ts.
 *
 * Every operation fails with a StoreError and nothing else. Operations may run concurrently, in any mix.
 */
export interface Store {
  /** What this store is, for whoever holds it. It changes only where it is another gateway's to say. */
  info(): StoreInfo;

  /**
   * The bytes of the store's CONFIG, read anew each time.
   * `unavailable` when it can't be read. CONFIG has no other operation: it can't be changed through a gateway.
   */
  config(ctx: OpContext): Promise<Uint8Array>;

  /**
   * Every object of a kind, as batches of MACs: all of them, or an error, never a part that looks like the whole.
   * No MAC comes twice, in no order to rely on. What others keep in the store's folders is skipped. An object that is put
   * or deleted meanwhile may or may not be listed.
   */
  list(kind: ObjectKind, ctx: OpContext): AsyncIterable<MacBatch>;

  /** An object's size and age. `not_found` where there is none. */
  stat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat>;

  /**
   * An object, or a range of it: past the end there is nothing, so a range gives what there is, possibly no bytes.
   * `not_found` where there is none. It fails before it returns wherever it can, so that callers can still answer with
   * the right status.
   */
  get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead>;

  /**
   * Stores an object, whole or not at all. It is visible only when complete, and synced to disk (unless the store was
   * opened without durability) before this returns.
   *
   * - Packfiles and states: where the name is taken, the same bytes succeed and change nothing, and other bytes fail with
   *   `already_exists`; the bytes are compared, not trusted. Of concurrent puts of one name one whole object wins, and the
   *   others end as if they had come later.
   * - Locks: replaced atomically, at most 64 KiB.
   * - `invalid_argument` under 48 bytes, or where the header isn't a serialized object's of that kind; `too_large` over the
   *   size limit; `no_space` on a full disk; and whatever `body` throws, when it throws. Nothing is left behind then.
   *
   * `body`'s chunks belong to the store once yielded. It need not be read to its end when the put fails early. It
   * has to throw when the caller is gone: a store waits for the next chunk without watching the signal.
   */
  put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult>;

  /** Removes an object. Idempotent: one that isn't there is success. */
  delete(ref: ObjectRef, ctx: OpContext): Promise<void>;

  /** Lets go of everything. No operation may follow. */
  close(): Promise<void>;
}
