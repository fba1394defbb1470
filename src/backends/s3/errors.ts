import { canceled, StoreError, type ErrorCode } from '../../core/errors.js';

/** The reason where an answer isn't what was asked for: what was done is unknown. */
const malformedAnswer = 'malformed answer';

/**
 * An S3 request that failed. Is the cause of StoreErrors, for the log: it names what was asked and answered, and has no part of the
 * request or its signature.
 */
export class S3Failure extends Error {
  override readonly name = 'S3Failure';

  constructor(
    /** The request, as `PutObject`. */
    readonly operation: string,
    /** The answer's code, as `NoSuchKey`; Node's or the SDK's word for an error without an answer. */
    readonly reason: string,
    /** The answer's HTTP status; undefined if none came. */
    readonly status: number | undefined,
    /** How many times it was sent. */
    readonly attempts: number,
    /** The answer's own words, or those of the error without one. */
    readonly detail: string,
    /** The region that the bucket is in, where the answer names it. */
    readonly bucketRegion: string | undefined,
  ) {
    const answer = reason === malformedAnswer ? reason : `${status ?? 'no answer'}, ${reason}`;
    super(`${operation}: ${answer}: ${detail}`);
  }
}

type Row = Pick<StoreError, 'code' | 'message'>;

const row = (code: ErrorCode, message: string): Row => ({ code, message });

const noSuchObject = row('not_found', 'no such object');
const refused = row(
  'unavailable',
  "the store's S3 service refuses the gateway's requests: the gateway's log says why, and its operator has to act",
);
const archived = row(
  'unavailable',
  'the object is archived (S3 Glacier) and has to be restored by the operator of the store before it can be read',
);
const busy = row('unavailable', "the store's S3 service is too busy: try again later");
const full = row(
  'no_space',
  "the store's S3 service has no room left, or the quota is used up: its operator has to make room",
);
const unsupported = row('unimplemented', "the store's S3 service can't do that");
const lost = row('unavailable', "the store's S3 service can't be reached, or fails: try again later");

/**
 * What error codes mean, those of AWS (Amazon S3 API Reference, "Error responses") and of other servers. HEAD has no body to tell a code,
 * for which the SDK says `NotFound`.
 */
const rows: Readonly<Record<string, Row>> = {
  NoSuchKey: noSuchObject,
  NotFound: noSuchObject,
  NoSuchVersion: noSuchObject,
  NoSuchBucket: refused,
  // Its answer may have been lost when the upload was completed.
  NoSuchUpload: lost,
  InvalidObjectState: archived,
  SlowDown: busy,
  ServiceUnavailable: busy,
  TooManyRequests: busy,
  QuotaExceeded: full,
  InsufficientStorage: full,
  XMinioStorageFull: full,
  NotImplemented: unsupported,
  MethodNotAllowed: unsupported,
};

const rowsByStatus: Readonly<Record<number, Row>> = {
  301: refused,
  400: refused,
  401: refused,
  403: refused,
  404: refused,
  429: busy,
  501: unsupported,
  503: busy,
  507: full,
};

/**
 * Turns any failure of a request into a StoreError. The message names no bucket, host or secret; the cause, an S3Failure, may name the first
 * two. A StoreError is returned unchanged.
 */
export function fromS3(error: unknown, operation: string): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof Error && error.name === 'AbortError') return canceled(error);
  const failure = failureOf(error, operation);
  const { code, message } = rowOf(failure);
  return new StoreError(code, message, { cause: failure });
}

function rowOf({ operation, reason, status }: S3Failure): Row {
  // Only of an object's own request does it say that there is none.
  if (reason === 'NotFound' && operation !== 'HeadObject') return refused;
  return rows[reason] ?? (status === undefined ? lost : (rowsByStatus[status] ?? lost));
}

/** The error for an answer that refuses a request, sent without the SDK's commands. @param reason the answer's code */
export function refusal(operation: string, status: number, reason: string): StoreError {
  const failure = new S3Failure(operation, reason, status, 1, 'refused', undefined);
  const { code, message } = rowOf(failure);
  return new StoreError(code, message, { cause: failure });
}

/** The error for a store whose CONFIG is gone: whether an object is there can't be said then. */
export function noStore(cause?: unknown): StoreError {
  return new StoreError('unavailable', "the store's CONFIG can't be found: its operator has to look at the bucket", {
    cause,
  });
}

/**
 * Whether it is unknown if a failed request was carried out: no answer came, a server's error, a success that broke off or can't be read, or
 * not the answer to the first attempt.
 */
export function isAmbiguous(error: unknown): boolean {
  const failure = failureIn(error);
  if (failure === undefined) return false;
  const { status, attempts } = failure;
  return status === undefined || status >= 500 || status < 300 || attempts > 1;
}

/** Whether a conditional write met another one that was in progress (409): nothing is known about its outcome. */
export function isConflict(error: unknown): boolean {
  return failureIn(error)?.status === 409;
}

/** Whether a multipart upload is gone: aborted, or completed already. */
export function isNoSuchUpload(error: unknown): boolean {
  return failureIn(error)?.reason === 'NoSuchUpload';
}

/** The failed request behind an error; undefined if there is none. */
export function failureIn(error: unknown): S3Failure | undefined {
  return error instanceof StoreError && error.cause instanceof S3Failure ? error.cause : undefined;
}

/** The error for an answer that isn't what its request asked for. */
export function malformed(operation: string, what: string): StoreError {
  const { code, message } = lost;
  return new StoreError(code, message, {
    cause: new S3Failure(operation, malformedAnswer, undefined, 1, what, undefined),
  });
}

/** What an answer has to have. Throws `unavailable` if it lacks it. */
export function required<T>(operation: string, what: string, value: T | undefined): T {
  if (value === undefined) throw malformed(operation, `it has no ${what}`);
  return value;
}

/** What the SDK's errors have. Those without an answer have no `$metadata.httpStatusCode`; Node's have a `code`. */
interface SdkError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string | undefined>> };
  readonly code?: unknown;
  /** In the answer to a request that was signed for the wrong region. */
  readonly Region?: unknown;
}

function failureOf(thrown: unknown, operation: string): S3Failure {
  const error: SdkError = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { httpStatusCode: status, attempts = 1 } = error.$metadata ?? {};
  const reason = status === undefined && typeof error.code === 'string' ? error.code : error.name;
  const header = error.$response?.headers?.['x-amz-bucket-region'];
  const region = header ?? (typeof error.Region === 'string' ? error.Region : undefined);
  return new S3Failure(operation, reason, status, attempts, error.message, region);
}
