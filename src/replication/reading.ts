import { canceled, StoreError } from '../core/errors.js';
import type { ObjectRead, OpContext } from '../core/store.js';
import type { RateLimiter } from '../lib/rate-limiter.js';
import type { Side } from './failures.js';

/* Reads whose failures can be told from those of the store that their bytes go to. */

/** The error of a store that can't give an object, or not all of it. */
export class ReadFailure extends StoreError {
  constructor(
    readonly side: Side,
    cause: unknown,
  ) {
    const { code, message } = StoreError.from(cause);
    super(code, message, { cause });
  }
}

/** For `catch`: throws a ReadFailure. */
export function failingOn(side: Side): (cause: unknown) => never {
  return (cause) => {
    throw new ReadFailure(side, cause);
  };
}

async function* failingBy(side: Side, data: ObjectRead['data']): AsyncGenerator<Uint8Array, void, undefined> {
  if (data instanceof Uint8Array) return yield data;
  try {
    yield* data;
  } catch (error) {
    throw new ReadFailure(side, error);
  }
}

/** The bytes that are read, not faster than the limit. Fails with a ReadFailure, or with `canceled` when the caller is gone. */
export async function* paced(
  { data }: ObjectRead,
  side: Side,
  limiter: RateLimiter | undefined,
  { signal }: OpContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of failingBy(side, data)) {
    if (signal.aborted) throw canceled(signal.reason);
    if (limiter === undefined) yield chunk;
    else {
      for (const slice of slices(chunk)) {
        await limiter.take(slice.length, signal);
        yield slice;
      }
    }
  }
}

/** What passes at once under a limit: little enough that a store doesn't take a slow copy for one that is stuck. */
const sliceBytes = 64 * 1024;

function* slices(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < chunk.length; at += sliceBytes) yield chunk.subarray(at, at + sliceBytes);
}
