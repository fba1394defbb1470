import { StoreError } from '../../core/errors.js';

/** What a log line has of an error beside its message: nothing where that says it all, as with a configuration that is wrong. */
export function errorFields(error: unknown): { readonly err?: unknown } {
  const { code } = StoreError.from(error);
  return code === 'internal' || code === 'unavailable' ? { err: error } : {};
}
