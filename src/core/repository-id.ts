import { decode } from '@msgpack/msgpack';
import { payload } from './serialized-object.js';

/**
 * The repository id in a store's CONFIG: 16 bytes, or undefined if it can't be read. CONFIG's payload is an unencrypted msgpack map, even
 * in an encrypted store, with the id under `RepositoryID`.
 */
export function repositoryId(config: Uint8Array): Uint8Array | undefined {
  try {
    const fields = decode(payload(config)) as Record<string, unknown> | null;
    const id = fields?.['RepositoryID'];
    return id instanceof Uint8Array && id.length === 16 ? id : undefined;
  } catch {
    // A CONFIG in a later format is still served.
    return undefined;
  }
}
