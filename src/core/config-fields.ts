import { decode } from '@msgpack/msgpack';
import { payload } from './serialized-object.js';

/** What a store's CONFIG says. What it doesn't say in the expected form is undefined. */
export interface ConfigFields {
  /** 16 bytes. */
  readonly repositoryId: Uint8Array | undefined;
  /** When the store was made, in milliseconds since 1970-01-01 UTC. */
  readonly createdMs: number | undefined;
  /** Whether the store's objects are encrypted. */
  readonly isEncrypted: boolean | undefined;
  /** The names of algorithms, as in `AES256-GCM-SIV`, `BLAKE3` and `LZ4`; also undefined where nothing is encrypted or compressed. */
  readonly encryption: string | undefined;
  readonly hashing: string | undefined;
  readonly compression: string | undefined;
}

/** Reads a store's CONFIG. Its payload is an unencrypted msgpack map, even in an encrypted store. A CONFIG in a later format is still served. */
export function configFields(config: Uint8Array): ConfigFields {
  const fields = decoded(config);
  const { RepositoryID: id, Timestamp: timestamp, Encryption: encryption } = fields;
  return {
    repositoryId: id instanceof Uint8Array && id.length === 16 ? id : undefined,
    createdMs: timestamp instanceof Date ? timestamp.getTime() : undefined,
    isEncrypted: encryption === undefined ? undefined : encryption !== null,
    encryption: text(encryption, 'DataAlgorithm'),
    hashing: text(fields['Hashing'], 'Algorithm'),
    compression: text(fields['Compression'], 'Algorithm'),
  };
}

function decoded(config: Uint8Array): Record<string, unknown> {
  try {
    const fields = decode(payload(config));
    return isMap(fields) ? fields : {};
  } catch {
    return {};
  }
}

function text(map: unknown, key: string): string | undefined {
  const value = isMap(map) ? map[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
