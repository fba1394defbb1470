import { hasCode, type ErrorCode } from '../core/errors.js';
import type { Bounds } from '../core/retry.js';
import type { OpContext, Store } from '../core/store.js';
import { ReadFailure } from './reading.js';
import type { CopiedRef, Difference } from './report.js';

/** How often something is tried. */
const attempts = 5;

/** The longest first pause: all of them together are up to 8 seconds, beside what the stores themselves wait. */
const defaultPauseMs = 500;

/** What may go away by itself. */
const temporary = ['unavailable', 'too_slow', 'too_many_requests'] as const;

export function isTemporary(error: unknown): boolean {
  return temporary.some((code) => hasCode(error, code));
}

/** How long operations are repeated that fail temporarily. */
export function patience({ signal }: OpContext, firstPauseMs = defaultPauseMs): Bounds {
  return { attempts, firstPauseMs, signal, isTemporary };
}

/** The two stores of a copy. */
export interface Pair {
  readonly source: Store;
  readonly destination: Store;
}

export type Side = keyof Pair;

/**
 * Tells an object that can't be read from a store that can't: what failed to read it is done once more, after the store could read its CONFIG. So
 * the store is there, and if it fails again, that is about this object, and becomes a difference. Fails with the error otherwise.
 */
export async function readOnceMore<T>(
  pair: Pair,
  ref: CopiedRef,
  error: unknown,
  ctx: OpContext,
  read: () => Promise<T>,
): Promise<T | Difference> {
  if (!(error instanceof ReadFailure && ofObjects.has(error.code) && (await canReadConfig(pair[error.side], ctx))))
    throw error;
  try {
    return await read();
  } catch (again) {
    if (!(again instanceof ReadFailure && ofObjects.has(again.code))) throw again;
    return { ref, what: 'unreadable', text: `the ${again.side} can't read it: ${again.message}` };
  }
}

/** The codes with which a read may fail because of its object. */
const ofObjects: ReadonlySet<ErrorCode> = new Set(['unavailable', 'internal', 'not_found']);

async function canReadConfig(store: Store, ctx: OpContext): Promise<boolean> {
  return store.config(ctx).then(
    () => true,
    () => false,
  );
}
