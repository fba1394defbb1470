/** Every way in which a request can fail. `status.ts` maps each to its HTTP and gRPC status. */
export const errorCodes = [
  /** The request, or the object it carries, is malformed. */
  'invalid_argument',
  /** The upload exceeds the size limit of its kind. */
  'too_large',
  /** There is no such object or store. */
  'not_found',
  /** An object with this name and other bytes exists. */
  'already_exists',
  /** A login is required, or the credentials are wrong. */
  'unauthenticated',
  /** The caller's access level does not allow the operation. */
  'permission_denied',
  /** The client sends or reads more slowly than the minimum rate. */
  'too_slow',
  /** The store's disk is full, or its quota is used up. */
  'no_space',
  /** The answer is larger than clients of this protocol accept. */
  'answer_too_large',
  /** The caller has too many operations running, or too many failed logins. It may try again later. */
  'too_many_requests',
  /** This store, or every store, lacks the operation. */
  'unimplemented',
  /** The store can't be reached or read at the moment. The caller may try again later. */
  'unavailable',
  /** The client went away, or the gateway is stopping. */
  'canceled',
  /** An unexpected error. Clients get a fixed message. */
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/**
 * The only error class that crosses a module's border.
 *
 * `message` is for the person at the client: lower case, with advice if there is any, and without paths of the server or secrets. `cause`
 * is for the log.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }

  /** Converts anything thrown: a StoreError stays as it is, an AbortError becomes `canceled`, anything else `internal`. */
  static from(error: unknown): StoreError {
    if (error instanceof StoreError) return error;
    if (error instanceof Error && error.name === 'AbortError') return canceled(error);
    return new StoreError('internal', 'internal error', { cause: error });
  }
}

/** The error of a request that ended early because its client went away. */
export function canceled(cause?: unknown): StoreError {
  return new StoreError('canceled', 'the request was canceled', { cause });
}

/** Whether `error` is a StoreError with this code. */
export function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof StoreError && error.code === code;
}

/** Fails with `error`; a full disk is told together with where it is, since it may be one of several. */
export function withPlaceOfFullDisk(place: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof StoreError) || error.code !== 'no_space') throw error;
    throw new StoreError(error.code, `${place}: ${error.message}`, { cause: error.cause });
  };
}

/** What a promise resolves to; undefined where it fails with `not_found`. */
export async function ifPresent<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (hasCode(error, 'not_found')) return undefined;
    throw error;
  }
}
