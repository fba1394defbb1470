import { StoreError } from '../../core/errors.js';
import { isReserved, isStoreName, parseStoreAddress } from '../../core/store-name.js';

/** What a request's target says. */
export interface Target {
  /** The store's name, which is empty for the default one; `@` and a moment may follow, as `AccessControl.storeOf` has it. */
  readonly store: string;
  /** The path within the API, each part percent-encoded anew: `/resources/packfiles/90dc…`; `/` for the API's root. */
  readonly route: string;
}

/**
 * Splits the target of a request into the store's name and the path of the API behind it. This is the only place that reads either, so
 * what is authorised and what is done can't be about different stores. The API's path starts with the first part that is reserved for
 * it, which no store's name has. Dots have no meaning, and a part with an encoded slash is no part of a name.
 *
 * @param target a path, or `http://host/path` (RFC 9112, 3.2), with or without a query
 * Throws `not_found` for a path that can't be a store's, `invalid_argument` for broken percent-encoding.
 */
export function parseTarget(target: string): Target {
  const path = pathOf(target);
  const parts = path.slice(1).split('/');
  const decoded = path.includes('%') ? parts.map(decode) : parts;
  const start = decoded.findIndex(isReserved);
  // A store's own address may end with a slash.
  const end = start >= 0 ? start : decoded.at(-1) === '' ? decoded.length - 1 : decoded.length;
  const nameParts = decoded.slice(0, end);
  const store = nameParts.join('/');
  const isName =
    isStoreName(parseStoreAddress(store).name) && !nameParts.some((part) => part === '' || part.includes('/'));
  const api = start < 0 ? [] : decoded.slice(start);
  // The gateway's own state is at one address, and no store's.
  const isElsewhere = (api[0] === 'healthz' || api[0] === 'readyz') && store !== '';
  if (!isName || !path.startsWith('/') || isElsewhere) throw noSuchPath();
  return { store, route: `/${decoded === parts ? api.join('/') : api.map(encodeURIComponent).join('/')}` };
}

/** A target's path as it was sent, without what may carry secrets: the query, and the user in front of a host. */
export function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  const bare = end < 0 ? target : target.slice(0, end);
  const [, path] = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/]*(.*)$/s.exec(bare) ?? [];
  return path === undefined ? bare : path === '' ? '/' : path;
}

/** The error for a path that no API has. */
export function noSuchPath(): StoreError {
  return new StoreError(
    'not_found',
    'no such path: a store is at /, or at /NAME, and its objects at /resources/ behind it',
  );
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw new StoreError('invalid_argument', 'invalid path: its percent-encoding is broken', { cause: error });
  }
}
