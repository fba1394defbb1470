import type { ObjectKind } from '../core/object.js';

/** How a store's second copy is. Plain data, which is sent between processes. Times are in ms since 1970-01-01 UTC. */
export interface MirrorReport {
  /** The store's name; empty for the default one. */
  readonly store: string;
  /** What the second copy lacks, as far as is known; undefined before that was looked at. */
  readonly missing?: { readonly objects: number; readonly bytes: number };
  /**
   * The second copy has everything that the first one had at this moment, but for objects that are damaged or that it doesn't take; undefined if it
   * isn't known of any.
   */
  readonly completeAsOfMs?: number;
  /** Since when it is mirrored there, without ever having been complete; undefined if it was, or that isn't known. */
  readonly beganMs?: number;
  /** When the last run that completed ended. */
  readonly lastSuccessMs?: number;
  /** Why the last run failed, or an object that it couldn't copy: for the operator, it may have locations; undefined if nothing was wrong. */
  readonly problem?: string;
  /** How a run ended; only in the report of its end. */
  readonly outcome?: 'completed' | 'failed';
  /** Objects that one of the two copies can't read, or that differ; only in the report of a run's end. A phrase for each, with its name. */
  readonly damaged?: readonly string[];
}

/** A read of a packfile or state that the mirror answered, since the store couldn't. Plain data, which is sent between processes. */
export interface MirrorRead {
  readonly store: string;
  readonly kind: ObjectKind;
  readonly mac: string;
  /** What is wrong with the store's object: completes "the packfile …". */
  readonly loss: string;
}
