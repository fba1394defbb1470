import { StoreError } from './errors.js';

/** First segments of the paths of the HTTP APIs: a store with such a name would hide them. */
const reserved: ReadonlySet<string> = new Set([
  'resources',
  'packfile',
  'packfiles',
  'state',
  'states',
  'lock',
  'locks',
  'config',
  'healthz',
]);

const maxLength = 200;

/**
 * Whether `name` is a valid store name: empty for the default store, else segments of letters, digits, `.`, `_` and `-`, joined by `/`, as
 * in `teams/blue`. No segment starts with a dot or is reserved, so a name never collides with another store's path or an API's.
 */
export function isStoreName(name: string): boolean {
  if (name === '') return true;
  if (name.length > maxLength) return false;
  return name.split('/').every((segment) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(segment) && !reserved.has(segment));
}

/** Whether a path segment starts an API's path, and so can't be part of a store's name. */
export function isReserved(segment: string): boolean {
  return reserved.has(segment);
}

/** Validates the store name of a request. Throws `invalid_argument`. */
export function checkStoreName(name: string): string {
  if (isStoreName(name)) return name;
  throw new StoreError(
    'invalid_argument',
    "invalid store name: it consists of letters, digits, '.', '_' and '-', in segments separated by '/'",
  );
}
