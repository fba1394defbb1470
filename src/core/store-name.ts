import { StoreError } from './errors.js';

/** First parts of the paths of plakar's HTTP APIs and of our own: a store of such a name would hide them. */
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
 * Whether `name` can be a store's: empty for the default one, else parts of letters, digits, `.`, `_` and `-`, with `/` between
 * them, as in `teams/blue`. No part starts with a dot or is the start of an API's path, so no name can mean another one's path.
 */
export function isStoreName(name: string): boolean {
  if (name === '') return true;
  if (name.length > maxLength) return false;
  return name.split('/').every((part) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part) && !reserved.has(part));
}

/** Whether a path's part can't be one of a store's name, since an API's path starts with it. */
export function isReserved(part: string): boolean {
  return reserved.has(part);
}

/** Checks a name that a request asks for. Throws `invalid_argument`. */
export function checkStoreName(name: string): string {
  if (isStoreName(name)) return name;
  throw new StoreError(
    'invalid_argument',
    "invalid store name: it has letters, digits, '.', '_' and '-', in parts with '/' between them",
  );
}
