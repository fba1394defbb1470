import { blake3 } from '@noble/hashes/blake3.js';
import { configFields } from '../core/config-fields.js';
import { StoreError } from '../core/errors.js';
import { trailerBytes } from '../core/serialized-object.js';

/** Fails with `invalid_argument` unless two CONFIGs are of copies of one store, by the repository's id. */
export function requireSameStore(config: Uint8Array, other: Uint8Array): void {
  const [one, two] = [idOf(config), idOf(other)];
  if (one !== undefined && one === two) return;
  const problem = 'the two are not copies of one store: their CONFIGs are of different repositories';
  throw new StoreError('invalid_argument', problem);
}

/** What is wrong with a store's CONFIG: completes "its CONFIG …"; undefined: nothing that can be told. @param other that of the other copy */
export function configProblem(config: Uint8Array, other: Uint8Array | undefined): string | undefined {
  if (!hasItsDigest(config))
    return "has other bytes than when it was written: the digest at its end doesn't match them";
  if (other === undefined || Buffer.compare(config, other) === 0) return undefined;
  return 'differs from that of the other copy';
}

/**
 * In a store without encryption, CONFIG ends in a digest of what is before, which is BLAKE3's whatever the objects' MACs are made with; in others in a
 * MAC that only their secret tells.
 */
function hasItsDigest(config: Uint8Array): boolean {
  if (configFields(config).isEncrypted !== false) return true;
  return Buffer.compare(blake3(config.subarray(0, -trailerBytes)), config.subarray(-trailerBytes)) === 0;
}

function idOf(config: Uint8Array): string | undefined {
  const { repositoryId } = configFields(config);
  return repositoryId && Buffer.from(repositoryId).toString('hex');
}
