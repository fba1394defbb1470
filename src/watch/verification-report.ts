/** How a store's verification is. Plain data, which is sent between processes. Times are in ms since 1970-01-01 UTC. */
export interface VerificationReport {
  /** The store's name; empty for the default one. */
  readonly store: string;
  /** What the pass that is under way has read, or the last one. */
  readonly checked: { readonly objects: number; readonly bytes: number };
  /** How many objects that pass reads in all; undefined before that is known. */
  readonly planned?: number;
  /** How many objects are damaged, here or in the mirror, by the last complete pass and the one under way. */
  readonly damaged: number;
  /** When the last pass that was completed ended. */
  readonly completedMs?: number;
  /** Why the pass can't go on at the moment, or does without the mirror: for the operator, it may have locations. */
  readonly problem?: string;
  /** What people should be told now: a sentence without its end for each event. */
  readonly found?: readonly string[];
}
