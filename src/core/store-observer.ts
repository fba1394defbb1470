import type { ErrorCode } from './errors.js';

export const storeOperations = ['config', 'list', 'stat', 'get', 'put', 'delete'] as const;

export type StoreOperation = (typeof storeOperations)[number];

/** Observes what a store does, to measure it. Its methods never fail, and never wait. */
export interface StoreObserver {
  /** Whether operations that begin now are measured; of others it need not be told. */
  readonly isActive: boolean;

  /**
   * An operation ended.
   *
   * @param ms its duration in milliseconds: of `get`, until it resolved
   */
  operation(name: StoreOperation, code: ErrorCode | 'ok', ms: number): void;

  /** Bytes of objects were read. */
  read(bytes: number): void;

  /** Bytes of uploads were taken. */
  written(bytes: number): void;

  /** An upload began (1) or ended (-1). */
  uploads(change: 1 | -1): void;

  /** The store's server was connected to anew. */
  reconnected(): void;

  /** A delete was refused, since the object has to be kept for longer. */
  retained(): void;

  /** A read, or the rest of one, was answered from the store's mirror. */
  readFromMirror(): void;
}
