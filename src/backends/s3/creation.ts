import { StoreError } from '../../core/errors.js';
import type { S3Bucket } from './client.js';
import type { Keys } from './keys.js';
import { describeUnproven, probeFolder, proveWriteOnce } from './write-once.js';

/** How many keys are looked at: the probes of earlier attempts are a few. */
const maxKeys = 100;

/**
 * Makes a new store below an empty prefix: its CONFIG, as folders need not be made. Fails with `already_exists` where there is a store, with
 * `invalid_argument` where there is anything else, and with `unimplemented` where the service may overwrite objects.
 */
export async function makeConfig(bucket: S3Bucket, keys: Keys, config: Uint8Array): Promise<void> {
  const { keys: found } = await bucket.listPage(keys.root, { maxKeys });
  if (found.some(({ key }) => key === keys.config)) throw isStore();
  if (found.some(({ key }) => !key.startsWith(probeFolder(keys)))) {
    const text = 'there are other objects below its prefix: name a prefix that is not used yet, or an empty bucket';
    throw new StoreError('invalid_argument', text);
  }
  const proof = await proveWriteOnce(bucket, keys);
  if (!proof.isProven) throw new StoreError('unimplemented', describeUnproven(proof));
  if ((await bucket.put(keys.config, config, { ifAbsent: true })) === 'exists') throw isStore();
}

function isStore(): StoreError {
  return new StoreError('already_exists', 'there is a store already');
}
