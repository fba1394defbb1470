import { status } from '@grpc/grpc-js';
import type { ReadError } from '../../gen/kloset/store/v1/store.js';
import { errorCodes, StoreError, type ErrorCode } from '../core/errors.js';
import { wireStatus } from '../core/status.js';

/**
 * The code of an error that came over gRPC.
 *
 * @param grpcStatus the gRPC status code, which several error codes may share
 * @param named the error code as the gateway named it beside the status; without it, or where this version doesn't know it, this is the
 *   first code with that status
 */
export function errorCode(grpcStatus: number, named: string | undefined): ErrorCode {
  const known = errorCodes.find((each) => each === named);
  if (known !== undefined) return known;
  // The client's own deadline passed: a gateway that answers with this status names the code.
  if (grpcStatus === status.DEADLINE_EXCEEDED) return 'unavailable';
  return errorCodes.find((each) => wireStatus[each].grpc === grpcStatus) ?? 'internal';
}

export function toReadError({ code, message }: StoreError): ReadError {
  return { code: wireStatus[code].grpc, message, errorCode: code };
}

export function fromReadError({ code, message, errorCode: named }: ReadError): StoreError {
  return new StoreError(errorCode(code, named), message);
}
