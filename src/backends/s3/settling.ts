import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from '../../core/errors.js';
import type { WriteOutcome } from './client.js';
import type { Stored } from './comparing.js';
import { failureIn, isAmbiguous, isConflict, isNoSuchUpload } from './errors.js';

/** A write that creates an object unless there is one. */
export interface ConditionalWrite {
  /** Sends the request. */
  readonly send: () => Promise<WriteOutcome>;
  /** Compares what is stored with what was sent. */
  readonly look: () => Promise<Stored>;
  /** Whether the request may be sent again after it met another write in progress (409). */
  readonly repeatsConflicts: boolean;
  /** Makes what was sent the object again if it was deleted, and the bucket still has it. Resolves to whether it did. */
  readonly bringBack?: (() => Promise<boolean>) | undefined;
  readonly signal: AbortSignal;
}

/** How often a write is sent, and the shortest wait before it is sent again, in milliseconds; each wait is twice as long as the last. */
const maxAttempts = 4;
const firstPauseMs = 100;

/**
 * Sends a conditional write, and finds out what became of it: where the answer doesn't tell, or none comes, by looking at what is stored.
 *
 * @returns whether the write created the object, also where it may have; false if the same bytes were there already; `other` if other
 *   bytes are there
 */
export async function settleWrite(write: ConditionalWrite): Promise<boolean | 'other'> {
  for (let attempt = 1, mayBeOwn = false; ; attempt++) {
    let failure: unknown;
    try {
      if ((await write.send()) === 'written') return true;
    } catch (error) {
      if (!isUncertain(error)) throw error;
      mayBeOwn ||= !isConflict(error);
      failure = error;
    }
    const stored = await write.look().catch((error: unknown) => {
      throw failure ?? error;
    });
    if (stored === 'same') return mayBeOwn;
    if (stored === 'other') return 'other';
    if (failure !== undefined && !isWorthRepeating(failure, write)) throw failure;
    try {
      if (!isConflict(failure) && (await write.bringBack?.())) {
        mayBeOwn = true;
        // A purge of the trash that began before removes it all the same.
        const now = await write.look();
        if (now === 'same') return true;
        if (now === 'other') return 'other';
      }
    } catch (error) {
      // Others may be doing the same, or be putting the object.
      failure ??= error;
    }
    if (attempt === maxAttempts) throw isConflict(failure) ? failure : takenByNothing(failure);
    await pause(firstPauseMs * 2 ** (attempt - 1), write.signal);
  }
}

/** Whether a failed write may have written the object, or another one may have. */
function isUncertain(error: unknown): boolean {
  return isAmbiguous(error) || isConflict(error) || isNoSuchUpload(error);
}

function isWorthRepeating(failure: unknown, { repeatsConflicts }: ConditionalWrite): boolean {
  return isConflict(failure) ? repeatsConflicts : failureIn(failure)?.status === 412;
}

/** The error for a name that is taken (412) and has no object. */
function takenByNothing(cause: unknown): StoreError {
  return new StoreError(
    'unavailable',
    "the store's S3 service says that there is an object of this name, and has none: if it was deleted just now, try again; if that doesn't " +
      "help, the service takes a deleted object's delete marker for an object, and the store's operator has to remove the marker: in the " +
      'bucket, or with `trash`, purge that object from the trash',
    { cause },
  );
}

/** Waits, for a random time more, so that uploads of one name don't meet again. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms * (1 + Math.random()), undefined, { signal });
  } catch (error) {
    throw StoreError.from(error);
  }
}
