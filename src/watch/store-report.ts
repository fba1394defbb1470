/** What was found when a store was looked at. Plain data, which is sent between processes. Times are in ms since 1970-01-01 UTC. */
export interface StoreReport {
  /** The store's name; empty for the default one. */
  readonly store: string;
  readonly timeMs: number;
  /** Why it can't be reached: a sentence for clients, without paths; undefined if it can. */
  readonly problem?: string;
  readonly locks?: number;
  /** When the oldest lock was last written. */
  readonly oldestLockMs?: number;
  /** What is free on its disk; undefined where that is unknown. */
  readonly freeBytes?: number;
  /** Only in reports that counted: packfiles and states, and their bytes. */
  readonly size?: { readonly packfiles: number; readonly states: number; readonly bytes: number };
  /** When its newest state was written; only in reports that counted. */
  readonly newestStateMs?: number;
}
