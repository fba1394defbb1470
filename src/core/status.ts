import type { ErrorCode } from './errors.js';

export interface WireStatus {
  /** The HTTP status code (RFC 9110; 507 is from RFC 4918; 499 is nginx's "client closed request", and appears only in logs). */
  readonly http: number;
  /** The gRPC status code (https://grpc.io/docs/guides/status-codes/). */
  readonly grpc: number;
}

/** The gRPC trailer with the error's code, since several codes share a status. */
export const errorCodeKey = 'kloset-error-code';

/** The status of each error code. A code without a row doesn't compile. */
export const wireStatus = {
  invalid_argument: { http: 400, grpc: 3 },
  too_large: { http: 413, grpc: 3 },
  not_found: { http: 404, grpc: 5 },
  already_exists: { http: 409, grpc: 6 },
  unauthenticated: { http: 401, grpc: 16 },
  permission_denied: { http: 403, grpc: 7 },
  too_many_requests: { http: 429, grpc: 8 },
  too_slow: { http: 408, grpc: 4 },
  no_space: { http: 507, grpc: 8 },
  answer_too_large: { http: 500, grpc: 8 },
  unimplemented: { http: 501, grpc: 12 },
  unavailable: { http: 503, grpc: 14 },
  canceled: { http: 499, grpc: 1 },
  internal: { http: 500, grpc: 13 },
} as const satisfies Record<ErrorCode, WireStatus>;
