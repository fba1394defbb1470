import type { Access } from './access.js';
import type { MacBatch } from './mac-batch.js';
import type { ObjectKind, ObjectRef } from './object.js';
import type { ByteRange } from './range.js';

/** Properties of a store as seen through its layers. A layer may lower them, but never raise them. */
export interface StoreInfo {
  /** What may be done with this Store object. */
  readonly access: Access;
  /** The size limit of packfiles and states, in bytes. */
  readonly maxObjectBytes: number;
  /** Whether an acknowledged put is synced to disk. */
  readonly durable: boolean;
  /** No packfile or state is deleted before it is so old, in milliseconds; 0: there is no such rule. */
  readonly retentionMs: number;
  /** For how long the operator can bring back deleted packfiles and states, in milliseconds; 0: they are gone at once. */
  readonly trashMs: number;
}

export interface ObjectStat {
  /** In bytes. */
  readonly size: number;
  /** When it was last written, in milliseconds since 1970-01-01 UTC. */
  readonly modifiedMs: number;
}

/** The result of a get. The receiver calls `release` exactly once when it is done with the bytes, whatever happens. */
export interface ObjectRead {
  /** The whole object's size in bytes. */
  readonly objectSize: number;
  /** How many bytes the result has: the length of the range, clipped to the object. */
  readonly length: number;
  /**
   * The bytes: one buffer if they are few, so that a small answer takes one write; otherwise chunks, which can be iterated once. A
   * buffer is valid until `release`, a chunk until the next one is requested. Chunks never end before `length`: they throw instead.
   */
  readonly data: Uint8Array | AsyncIterable<Uint8Array>;
  /**
   * Releases file handles, buffers and permits. Never fails.
   *
   * @param sent whether the buffer is free for reuse; false if a write of it was abandoned and may still be running
   */
  release(sent?: boolean): void;
}

export interface PutResult {
  /**
   * Of packfiles and states: whether the put wrote the object; false if the same bytes were there already, and nothing changed. Of locks:
   * always true, as a backend need not know whether it replaced one.
   */
  readonly created: boolean;
}

/** The context of an operation. */
export interface OpContext {
  /**
   * Aborts when the caller goes away or the gateway stops. An operation that would otherwise wait without a limit, for a permit for example,
   * then fails with `canceled`; others may complete. A put or delete that failed so may have been done.
   */
  readonly signal: AbortSignal;
  /** Whether an object is read from this copy only, and not from its mirror where it can't be read. Default: false. */
  readonly ownCopy?: boolean;
}

/**
 * The contract that every backend and layer implements and every frontend relies on. Each clause is a test in
 * test/conformance/clauses/.
 *
 * Operations fail with StoreErrors only, and may run concurrently, in any mix.
 */
export interface Store {
  /** The store's properties. They change only if the store is at another gateway, whose answer may change. */
  info(): StoreInfo;

  /**
   * The bytes of the store's CONFIG, read on every call. `unavailable` if it can't be read. There is no other operation on CONFIG: it
   * can't be changed through a gateway.
   */
  config(ctx: OpContext): Promise<Uint8Array>;

  /**
   * Lists all objects of a kind, as batches of MACs. An incomplete list ends with an error. No MAC occurs twice; the order is undefined.
   * Foreign files in the store's folders are skipped. An object that is put or deleted during the iteration may or may not be listed.
   */
  list(kind: ObjectKind, ctx: OpContext): AsyncIterable<MacBatch>;

  /** The same objects with what `stat` says of each. Only where a list tells it: see `statAll`, which does without otherwise. */
  readonly listStats?: ((kind: ObjectKind, ctx: OpContext) => AsyncIterable<ObjectRef & ObjectStat>) | undefined;

  /** An object's size and modification time. `not_found` if it does not exist. */
  stat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat>;

  /**
   * An object, or a range of it. A range is clipped to the object, possibly to nothing. `not_found` if the object does not exist. Errors
   * are reported before it resolves wherever possible, while callers can still send the right status.
   */
  get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead>;

  /**
   * Stores an object, atomically. It becomes visible only when it is complete, and, unless the store was opened without durability, when
   * it is synced to disk.
   *
   * - Packfiles and states are immutable: if the object exists, the same bytes succeed and change nothing, and other bytes fail with
   *   `already_exists`. The bytes are compared. Of concurrent puts of one name one wins; the others end as if they had come later.
   * - Locks are replaced atomically, and have at most 64 KiB.
   * - `invalid_argument` for less than 48 bytes or a header that is not of this kind, `too_large` over the size limit, `no_space` on a full
   *   disk; an error that `body` throws is passed on. A failed put leaves nothing behind.
   *
   * A chunk belongs to the store once `body` has yielded it. A put that fails early need not read `body` to its end. `body` has to throw when
   * the caller is gone: stores wait for the next chunk without watching the signal.
   */
  put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult>;

  /**
   * Removes an object. Idempotent: succeeds if the object does not exist. `permission_denied` for a packfile or state that is younger than the
   * store's retention.
   */
  delete(ref: ObjectRef, ctx: OpContext): Promise<void>;

  /** Releases all resources. No operation may follow. */
  close(): Promise<void>;
}
