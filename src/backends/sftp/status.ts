import { StoreError, type ErrorCode } from '../../core/errors.js';

/** The SFTP status codes that are handled individually: draft-ietf-secsh-filexfer-02, section 7, and later drafts. */
export const status = { eof: 1, noSuchFile: 2, permissionDenied: 3, failure: 4, unsupported: 8, exists: 11 } as const;

/**
 * There is no connection: `unavailable` if the server can't be reached, `permission_denied` for a wrong host key or a failed login,
 * `invalid_argument` for an unusable configuration. The message is for the operator: it names hosts and files.
 */
export class ConnectFailure extends Error {
  override readonly name = 'ConnectFailure';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** The connection ended before a request was answered: the server may or may not have carried it out. */
export class LostConnection extends Error {
  override readonly name = 'LostConnection';
}

type Row = Pick<StoreError, 'code' | 'message'>;

const fullDisk: Row = {
  code: 'no_space',
  message: "the store's disk is full, or its quota used up: its operator has to make room",
};
const noSuch: Row = { code: 'not_found', message: 'no such file or folder' };
const taken: Row = { code: 'already_exists', message: 'the name is taken' };
const refused: Row = { code: 'internal', message: "the gateway lacks permissions for its store's files" };
const unsupported: Row = { code: 'unimplemented', message: "the store's SFTP server can't do that" };
const lost: Row = { code: 'unavailable', message: "the store's server can't be reached: try again later" };
const broken: Row = { code: 'unavailable', message: "the store's server can't read or write its disk" };

/** What a status code means. Version 3 of the protocol ends at 8, but some servers use codes of later versions. */
const rows: Readonly<Record<number, Row>> = {
  [status.noSuchFile]: noSuch,
  [status.permissionDenied]: refused,
  6: lost,
  7: lost,
  [status.unsupported]: unsupported,
  10: noSuch,
  [status.exists]: taken,
  12: refused,
  13: broken,
  14: fullDisk,
  15: fullDisk,
};

/** Servers without the codes 14 and 15 may say it in the message. OpenSSH's doesn't: see `space.ts`. */
const fullDiskText = /no space|disk full|disc full|quota/i;

/**
 * Turns any failure of ssh2, a connection or a server into a StoreError. The message names no host, path or secret; the cause may, for
 * the log. A StoreError is returned unchanged.
 */
export function fromSftp(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof LostConnection || error instanceof ConnectFailure) return toError(lost, error);
  const code = statusOf(error);
  if (code === undefined) return StoreError.from(error);
  const row = rows[code];
  if (row !== undefined) return toError(row, error);
  return fullDiskText.test((error as Error).message) ? noSpace(error) : StoreError.from(error);
}

/**
 * The error for a failure to connect at the start. Unlike others its message names hosts and files: it goes to the operator, and to no
 * client.
 */
export function startError(error: unknown): StoreError {
  if (!(error instanceof ConnectFailure)) return fromSftp(error);
  return new StoreError(error.code, error.message, { cause: error });
}

/** The error for a full disk, or a quota that is used up. */
export function noSpace(cause: unknown): StoreError {
  return toError(fullDisk, cause);
}

/** The error for a name that is taken. */
export function nameTaken(cause: unknown): StoreError {
  return toError(taken, cause);
}

/** The status code that a server answered with; undefined for any other error. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

/** Whether the error is a server's answer with this status. */
export function hasStatus(error: unknown, code: number): boolean {
  return statusOf(error) === code;
}

function toError(row: Row, cause: unknown): StoreError {
  return new StoreError(row.code, row.message, { cause });
}
