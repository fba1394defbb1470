import { METHODS, type IncomingHttpHeaders } from 'node:http';

/** What comes before a request's body. */
export interface RequestHead {
  readonly method: string;
  /** As it was sent: a path, or `http://host/path`. */
  readonly target: string;
  /** By lower-case name; values of repeated fields are joined by `, `. */
  readonly headers: IncomingHttpHeaders;
  /** The body's length in bytes; undefined where it comes in chunks. */
  readonly length: number | undefined;
  /** Whether the client wants to know whether its body is wanted, before it sends it. */
  readonly asksFirst: boolean;
  /** Whether the connection may be used for another request. */
  readonly keepAlive: boolean;
  /** Whether the client knows answers in chunks: HTTP/1.1 does, 1.0 doesn't. */
  readonly knowsChunks: boolean;
}

/** A request that can't be read, or not in one way only. What follows on its connection has no meaning. */
export class BadRequest extends Error {
  /** @param message for the client */
  constructor(
    readonly status: 400 | 408 | 417 | 431,
    message: string,
  ) {
    super(message);
  }
}

/** CONNECT asks for a tunnel, and not for something that is here. */
const methods: ReadonlySet<string> = new Set(METHODS.filter((method) => method !== 'CONNECT'));

/** What names are made of (RFC 9110, 5.6.2), as a pattern. */
export const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
/** A path, or a URI with one, or `*` (RFC 9112, 3.2). */
const target = '(?:[A-Za-z]+:/)?/[\\x21-\\x7e]*|\\*';

const requestLine = new RegExp(`^(${token}) (${target}) HTTP/1\\.([01])$`);
/** Blanks in front of a value are a part of it here: two parts of a pattern that match the same take the square of their length to fail. */
const fieldLine = new RegExp(`^(${token}):([\\t\\x20-\\x7e\\x80-\\xff]*)$`);

/** What no head has, as far as it has come: other protocols are told by it before their time is up. */
const foreign = /[^\t\r\n\x20-\x7e\x80-\xff]|\r[^\n]|(?:^|[^\r])\n/;

/** A length with more digits is none: it couldn't be counted. */
const digits = /^\d{1,15}$/;

/**
 * Reads a request's head (RFC 9112, 2 to 6). It is strict: whatever another server on the way might read in another way is refused, so
 * that nobody can hide one request in another.
 *
 * @param text the lines up to the empty one, each byte a character, with CRLF between them and none behind the last
 * Throws `BadRequest`.
 */
export function parseHead(text: string): RequestHead {
  let end = text.indexOf('\r\n');
  const [, method = '', target = '', minor] = requestLine.exec(end < 0 ? text : text.slice(0, end)) ?? [];
  if (!methods.has(method)) throw notHttp();
  const headers = Object.create(null) as Record<string, string | undefined>;
  while (end >= 0) {
    const start = end + 2;
    end = text.indexOf('\r\n', start);
    const match = fieldLine.exec(end < 0 ? text.slice(start) : text.slice(start, end));
    if (match === null) throw notHttp();
    const name = (match[1] as string).toLowerCase();
    const before = headers[name];
    const value = withoutBlanks(match[2] as string);
    headers[name] = before === undefined ? value : `${before}, ${value}`;
    if (before !== undefined && name === 'host') throw notHttp();
  }
  const isNew = minor === '1';
  if (isNew && headers['host'] === undefined) throw new BadRequest(400, 'the Host header is missing');
  return {
    method,
    target,
    headers,
    length: lengthOf(headers, isNew),
    asksFirst: isNew && asksFirst(headers['expect']),
    keepAlive: isNew && !/\bclose\b/i.test(headers['connection'] ?? ''),
    knowsChunks: isNew,
  };
}

/** Whether a line is a field with its name, as in a head. */
export function isField(line: string): boolean {
  return fieldLine.test(line);
}

/** Throws `BadRequest` where no head of a request starts like this. */
export function checkStart(text: string): void {
  if (foreign.test(text)) throw notHttp();
}

function notHttp(): BadRequest {
  return new BadRequest(400, 'this is not an HTTP/1.1 request');
}

/** Tabs behind a value stay, which some servers take for a part of it: nothing that a length or a coding depends on has any. */
function withoutBlanks(value: string): string {
  let start = 0;
  while (value[start] === ' ' || value[start] === '\t') start += 1;
  let end = value.length;
  while (end > start && value[end - 1] === ' ') end -= 1;
  return value.slice(start, end);
}

/** Says it one way, or not at all: of two ways, two servers take different ones. */
function lengthOf(headers: Readonly<Record<string, string | undefined>>, isNew: boolean): number | undefined {
  const coding = headers['transfer-encoding'];
  const length = headers['content-length'];
  if (coding !== undefined) {
    if (isNew && length === undefined && coding.toLowerCase() === 'chunked') return undefined;
    throw new BadRequest(400, 'of transfer codings, there is chunked, without a length beside it');
  }
  if (length === undefined) return 0;
  if (!digits.test(length)) throw new BadRequest(400, 'the Content-Length is not a number');
  return Number(length);
}

function asksFirst(expectation: string | undefined): boolean {
  if (expectation === undefined) return false;
  if (expectation.toLowerCase() !== '100-continue') {
    throw new BadRequest(417, 'of expectations (Expect), there is 100-continue');
  }
  return true;
}
