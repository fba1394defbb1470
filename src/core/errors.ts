/** Everything that can go wrong with a request, as a closed set. `status.ts` says what each is on the wire. */
export const errorCodes = [
  /** The request, or the object it carries, is malformed. */
  'invalid_argument',
  /** An upload is larger than its kind may be. */
  'too_large',
  /** No such object or store. */
  'not_found',
  /** Other bytes have that name already. */
  'already_exists',
  /** Nobody is logged in, or what came to log in with is wrong, and that is needed here. */
  'unauthenticated',
  /** The caller's access doesn't allow it. */
  'permission_denied',
  /** The caller sends or takes its bytes slower than is waited for. */
  'too_slow',
  /** No room on the store's disk, or its quota is used up. */
  'no_space',
  /** The answer is larger than this protocol's clients can take. */
  'answer_too_large',
  /** The caller has as much going on as it may, or failed to log in too often: trying again later helps. */
  'too_many_requests',
  /** Not offered, by this store or by any. */
  'unimplemented',
  /** The store can't be reached or read now; trying again later may help. */
  'unavailable',
  /** The caller went away, or the gateway is stopping. */
  'canceled',
  /** The gateway failed. The message that clients get is a fixed one. */
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/**
 * The one error class of the project.
 *
 * `message` is for the person at the client: lower case, says what to do where something can be done, and never carries a
 * path of the server or a secret. `cause` is for the log.
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

  /** Turns anything thrown into a StoreError: itself, `canceled` for an abort, and `internal` for what nobody foresaw. */
  static from(error: unknown): StoreError {
    if (error instanceof StoreError) return error;
    if (error instanceof Error && error.name === 'AbortError') return canceled(error);
    return new StoreError('internal', 'internal error', { cause: error });
  }
}

/** The error of a request whose caller went away before it was done. */
export function canceled(cause?: unknown): StoreError {
  return new StoreError('canceled', 'the request was canceled', { cause });
}

/** Whether `error` is a StoreError with this code. */
export function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof StoreError && error.code === code;
}
