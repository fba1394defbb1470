import { StoreError, type ErrorCode } from '../../core/errors.js';

/** The SFTP status codes that decide something here: draft-ietf-secsh-filexfer-02, section 7, and later drafts. */
export const status = { eof: 1, noSuchFile: 2, permissionDenied: 3, failure: 4, unsupported: 8, exists: 11 } as const;

/** What a failed attempt to reach and enter the server failed at. */
export type ConnectFailureKind = 'unreachable' | 'host_key' | 'login' | 'configuration';

/** Why there is no connection. The message is for the operator: it names hosts and files. */
export class ConnectFailure extends Error {
  override readonly name = 'ConnectFailure';

  constructor(
    readonly kind: ConnectFailureKind,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** The connection died before the answer to a request came: whether the server did it is not known. */
export class LostConnection extends Error {
  override readonly name = 'LostConnection';
}

interface Row {
  readonly code: ErrorCode;
  readonly message: string;
}

const fullDisk: Row = {
  code: 'no_space',
  message: "the store's disk is full, or its quota used up: its operator has to make room",
};
const noSuch: Row = { code: 'not_found', message: 'no such file or folder' };
const taken: Row = { code: 'already_exists', message: 'the name is taken' };
const refused: Row = { code: 'internal', message: 'the gateway may not do that with the files of its store' };
const unsupported: Row = { code: 'unimplemented', message: "the store's SFTP server can't do that" };
const lost: Row = { code: 'unavailable', message: "the store's server can't be reached: try again later" };
const broken: Row = { code: 'unavailable', message: "the store's server can't read or write its disk" };

/** What a status code means. Version 3 of the protocol ends at 8; some servers use the codes of later versions all the same. */
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

/** Servers that don't have the codes 14 and 15 may still say it. OpenSSH's doesn't: `space.ts` asks it. */
const fullDiskText = /no space|disk full|disc full|quota/i;

/**
 * Turns everything that ssh2, a connection or a server can fail with into a StoreError. Its message names no host, path or
 * secret; its cause does, for the log. A StoreError is left as it is.
 */
export function fromSftp(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof LostConnection || error instanceof ConnectFailure) return made(lost, error);
  const code = statusOf(error);
  if (code === undefined) return StoreError.from(error);
  const row = rows[code];
  if (row !== undefined) return made(row, error);
  return fullDiskText.test((error as Error).message) ? noSpace(error) : StoreError.from(error);
}

/**
 * The error of a start that failed to connect. Unlike all others its message says everything, hosts and files included: no
 * client is there yet, and the operator has to act on it.
 */
export function startError(error: unknown): StoreError {
  if (!(error instanceof ConnectFailure)) return fromSftp(error);
  const codes = {
    unreachable: 'unavailable',
    host_key: 'permission_denied',
    login: 'permission_denied',
    configuration: 'invalid_argument',
  } as const satisfies Record<ConnectFailureKind, ErrorCode>;
  return new StoreError(codes[error.kind], error.message, { cause: error });
}

/** A full disk, or a quota that is used up. */
export function noSpace(cause: unknown): StoreError {
  return made(fullDisk, cause);
}

/** A name that is taken. */
export function nameTaken(cause: unknown): StoreError {
  return made(taken, cause);
}

/** The status code that a server answered with; undefined for any other error. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

/** Whether a server answered with this status. */
export function hasStatus(error: unknown, code: number): boolean {
  return statusOf(error) === code;
}

function made(row: Row, cause: unknown): StoreError {
  return new StoreError(row.code, row.message, { cause });
}
