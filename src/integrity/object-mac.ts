import { blake3 } from '@noble/hashes/blake3.js';
import { createHash, createHmac } from 'node:crypto';
import { configFields } from '../core/config-fields.js';

/** A hash that takes its bytes in parts. */
export interface IncrementalHash {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

/** Begins the MAC of some bytes. */
export type NewMac = () => IncrementalHash;

/**
 * How the MACs are computed that objects of a store end with: undefined unless it is a store without encryption, where everyone can. In an
 * encrypted one they are keyed with its secret.
 */
export function openMacs(config: Uint8Array): NewMac | undefined {
  const { repositoryId, isEncrypted, hashing } = configFields(config);
  if (repositoryId === undefined || isEncrypted !== false) return undefined;
  if (hashing === 'BLAKE3') {
    const key = blake3(repositoryId);
    return () => blake3.create({ key });
  }
  if (hashing === 'SHA256') {
    const key = createHash('sha256').update(repositoryId).digest();
    return () => createHmac('sha256', key);
  }
  return undefined;
}
