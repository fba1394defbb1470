import { isUtf8 } from 'node:buffer';

/** The credentials of a request. */
export type Credentials =
  | { readonly scheme: 'bearer'; readonly token: string }
  /** `secret` is a token or a password; `name` may be empty. */
  | { readonly scheme: 'basic'; readonly name: string; readonly secret: string };

/** RFC 9110 section 11.4: the scheme is case-insensitive, and one or more spaces follow it. */
const bearer = /^bearer +([!-~]+)$/i;
const basic = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/**
 * Parses the value of an Authorization header (RFC 6750 section 2.1, RFC 7617 section 2).
 *
 * @returns undefined if it is neither `Bearer TOKEN` nor `Basic` with the base64 of `NAME:SECRET` in UTF-8.
 */
export function parseAuthorization(value: string): Credentials | undefined {
  const token = bearer.exec(value)?.[1];
  if (token !== undefined) return { scheme: 'bearer', token };
  const encoded = basic.exec(value)?.[1];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  if (!isUtf8(bytes)) return undefined;
  const pair = bytes.toString('utf8');
  // The first colon: names contain none, passwords may.
  const colon = pair.indexOf(':');
  if (colon < 0) return undefined;
  return { scheme: 'basic', name: pair.slice(0, colon), secret: pair.slice(colon + 1) };
}
