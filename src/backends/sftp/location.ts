import { StoreError } from '../../core/errors.js';
import { parsePort, percentDecoded } from '../location-parts.js';

/** Where a store is on an SSH server, as the operator writes it. */
export interface SftpLocation {
  readonly scheme: 'sftp';
  /** Default: that of the SSH configuration, else the local user. */
  readonly user?: string;
  /** A name, an alias of the SSH configuration, or an address (IPv6 without brackets). */
  readonly host: string;
  /** Default: that of the SSH configuration, else 22. */
  readonly port?: number;
  /** The store's folder: absolute, or relative to the user's folder on the server (`.` is that folder). */
  readonly path: string;
}

/** How a location is written. */
export const form = 'sftp://[user@]host[:port]/path';

const pattern = /^sftp:\/\/(?:([^@/]*)@)?(\[[^\]/]*\]|[^:/@]*)(?::([^/]*))?(\/.*)?$/i;

/** The characters of names and addresses, IPv6 zones (`%eth0`) included. */
const hostPattern = /^[A-Za-z0-9_.:%-]+$/;

/** Characters with a meaning to a shell: a ProxyCommand may contain the user's name. OpenSSH refuses them too. */
const unsafeInUser = /[\p{Cc}\s'"`$\\;&<>|(){}]/u;

/**
 * Parses `sftp://[user@]host[:port]/path`. The user and the path may be percent-encoded; a path that starts with `/~/` is relative to the
 * user's folder. Throws `invalid_argument` with what is wrong.
 */
export function parseSftpLocation(text: string): SftpLocation {
  const match = pattern.exec(text);
  if (match === null) throw invalid(`it has to look like ${form}`);
  const [, userText, hostText = '', portText, pathText = ''] = match;
  const host = hostText.startsWith('[') ? hostText.slice(1, -1) : hostText;
  checkHost(host);
  return {
    scheme: 'sftp',
    ...(userText !== undefined && { user: parseUser(userText) }),
    host,
    ...(portText !== undefined && { port: parsePort(portText, invalid) }),
    path: parsePath(pathText),
  };
}

/**
 * The location with the options of plakar's own SFTP connector: `username`, `port` and `root` take precedence over what is in the
 * location. Throws `invalid_argument`.
 */
export function withConnectorOptions(
  location: SftpLocation,
  { username: user, port, root: path }: Readonly<Record<string, string>>,
): SftpLocation {
  if (user !== undefined) checkUser(user);
  return {
    ...location,
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port: parsePort(port, invalid) }),
    ...(path !== undefined && { path }),
  };
}

/** The text that `parseSftpLocation` reads as this location. */
export function formatSftpLocation({ user, host, port, path }: SftpLocation): string {
  const userPart = user === undefined ? '' : `${encodeURIComponent(user)}@`;
  const hostPart = host.includes(':') ? `[${host}]` : host;
  const portPart = port === undefined ? '' : `:${port}`;
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  if (!path.startsWith('/')) return `sftp://${userPart}${hostPart}${portPart}/~/${path === '.' ? '' : encoded}`;
  // A folder that is really called `~`.
  const absolute = path === '/~' || path.startsWith('/~/') ? `/%7E${encoded.slice(2)}` : encoded;
  return `sftp://${userPart}${hostPart}${portPart}${absolute}`;
}

/** Throws `invalid_argument` unless the host is a name or an address. A leading `-` would be an option to `ssh`. */
export function checkHost(host: string): void {
  if (host === '') throw invalid(`there is no host in it: it has to look like ${form}`);
  if (host.startsWith('-')) throw invalid('its host starts with a dash');
  if (!hostPattern.test(host)) throw invalid('its host is neither a name nor an address');
}

/** Throws `invalid_argument` for a user name that `ssh` or a shell could misinterpret. */
export function checkUser(user: string): void {
  if (user === '') throw invalid('its user is empty');
  if (user.startsWith('-')) throw invalid('its user starts with a dash');
  if (unsafeInUser.test(user)) throw invalid('its user has characters that mean something to a shell');
}

function parseUser(text: string): string {
  if (text.includes(':')) {
    throw invalid('it has a password in it, which others could see: use a key, or a password file');
  }
  const user = percentDecoded(text, invalid);
  checkUser(user);
  return user;
}

function parsePath(text: string): string {
  if (text === '') throw invalid(`there is no path in it: it has to look like ${form}`);
  const relative = text === '/~' || text.startsWith('/~/');
  const path = withoutTrailingSlashes(percentDecoded(relative ? text.slice(3) : text, invalid));
  if (/\p{Cc}/u.test(path)) throw invalid('its path has control characters');
  if (!relative) return path === '' ? '/' : path;
  // A percent-encoded slash must not make a relative path absolute.
  if (path.startsWith('/')) throw invalid('its path is neither absolute nor relative to the user');
  return path === '' ? '.' : path;
}

/** Not a regular expression: `/\/+$/` takes quadratic time. */
function withoutTrailingSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  return path.slice(0, end);
}

function invalid(what: string, cause?: unknown): StoreError {
  return new StoreError('invalid_argument', `invalid SFTP location: ${what}`, { cause });
}
