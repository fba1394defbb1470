import { status, type ServiceError } from '@grpc/grpc-js';
import { errorCodes, StoreError, type ErrorCode } from '../core/errors.js';
import { wireStatus } from '../core/status.js';

/** Statuses that no gateway answers with, and that a call can end with all the same. */
const others: Readonly<Record<number, ErrorCode>> = {
  [status.DEADLINE_EXCEEDED]: 'unavailable',
  [status.UNAUTHENTICATED]: 'permission_denied',
};

/**
 * The StoreError of what a gRPC call failed with. Codes that share a status are not told apart: `too_large` arrives as
 * `invalid_argument`, `answer_too_large` as `no_space`. Anything that isn't a status is returned as it is.
 */
export function fromStatus(error: unknown): unknown {
  if (!isServiceError(error)) return error;
  const code = errorCodes.find((each) => wireStatus[each].grpc === error.code) ?? others[error.code] ?? 'internal';
  return new StoreError(code, messageOf(error), { cause: error });
}

/** The gateway's own words; and for what it didn't say, since it wasn't reached, other ones than grpc-js's. */
function messageOf({ code, details }: ServiceError): string {
  if (code === status.DEADLINE_EXCEEDED) return 'the gateway did not answer in time';
  const [, reason] =
    /^No connection established\. Last error: (?:Error: )?(.*?)\.? Resolution note:/s.exec(details) ?? [];
  return reason === undefined ? details : `the gateway can't be reached: ${reason}`;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}
