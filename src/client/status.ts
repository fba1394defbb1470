import { status, type ServiceError } from '@grpc/grpc-js';
import { StoreError, type ErrorCode } from '../core/errors.js';
import { errorCodeKey } from '../core/status.js';
import { errorCode } from '../wire/errors.js';

/**
 * The StoreError for the gRPC status that a call failed with. Anything that isn't a gRPC status is returned as it is.
 *
 * @param signal the signal that cancels the call: CANCELLED without an abort comes from the gateway, which is stopping, for instance
 */
export function fromStatus(error: unknown, signal: AbortSignal | undefined): unknown {
  if (!isServiceError(error)) return error;
  if (error.code === status.CANCELLED && signal?.aborted !== true) {
    return new StoreError('unavailable', 'the gateway ended the call before it was done: try again', { cause: error });
  }
  const code = errorCode(error.code, error.metadata?.get(errorCodeKey)[0]?.toString());
  return new StoreError(code, messageOf(error, code), { cause: error });
}

/** The gateway's message; or, where grpc-js made the status since it didn't reach the gateway, a clearer one than grpc-js's. */
function messageOf({ code, details }: ServiceError, mapped: ErrorCode): string {
  if (code === status.DEADLINE_EXCEEDED && mapped === 'unavailable') return 'the gateway did not answer in time';
  const [, reason] =
    /^No connection established\. Last error: (?:Error: )?(.*?)\.? Resolution note:/s.exec(details) ?? [];
  return reason === undefined ? details : `the gateway can't be reached: ${reason}`;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}
