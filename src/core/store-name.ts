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
  'readyz',
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

/** What a request says where a store's name is expected. */
export interface StoreAddress {
  /** The store's name; it may be invalid. */
  readonly name: string;
  /** What follows the `@`: the moment as of which the store is asked for, as `parseMoment` reads it. It may be invalid. */
  readonly moment: string | undefined;
}

/** Splits `teams/blue@2026-11-01` into the store's name and the moment. No name has an `@`. */
export function parseStoreAddress(address: string): StoreAddress {
  const at = address.indexOf('@');
  if (at < 0) return { name: address, moment: undefined };
  return { name: address.slice(0, at), moment: address.slice(at + 1) };
}

/** Validates the store's name of a request, which a moment may follow: that is left to `AccessControl.storeOf`. Throws `invalid_argument`. */
export function checkStoreName(address: string): string {
  if (isStoreName(parseStoreAddress(address).name)) return address;
  throw new StoreError(
    'invalid_argument',
    "invalid store name: it consists of letters, digits, '.', '_' and '-', in segments separated by '/'",
  );
}
