import { status, type ServiceError } from '@grpc/grpc-js';
import { errorCodes, StoreError, type ErrorCode } from '../core/errors.js';
import { errorCodeKey, wireStatus } from '../core/status.js';

/**
 * The StoreError of what a gRPC call failed with: with the code that the gateway tells beside the status, or the first one of that
 * status where there is none beside it. Anything that isn't a status is returned as it is.
 *
 * @param signal what this side ends the call with. A call that it didn't end is one that the gateway gave up, as when it stops.
 */
export function fromStatus(error: unknown, signal: AbortSignal | undefined): unknown {
  if (!isServiceError(error)) return error;
  if (error.code === status.CANCELLED && signal?.aborted !== true) {
    return new StoreError('unavailable', 'the gateway ended the call before it was done: try again', { cause: error });
  }
  const told = error.metadata?.get(errorCodeKey)[0];
  const code =
    errorCodes.find((each) => each === told) ??
    // Of a deadline nobody was told but the client.
    (error.code === status.DEADLINE_EXCEEDED ? 'unavailable' : undefined) ??
    errorCodes.find((each) => wireStatus[each].grpc === error.code) ??
    'internal';
  return new StoreError(code, messageOf(error, code), { cause: error });
}

/** The gateway's own words; and for what it didn't say, since it wasn't reached, other ones than grpc-js's. */
function messageOf({ code, details }: ServiceError, as: ErrorCode): string {
  if (code === status.DEADLINE_EXCEEDED && as === 'unavailable') return 'the gateway did not answer in time';
  const [, reason] =
    /^No connection established\. Last error: (?:Error: )?(.*?)\.? Resolution note:/s.exec(details) ?? [];
  return reason === undefined ? details : `the gateway can't be reached: ${reason}`;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}
