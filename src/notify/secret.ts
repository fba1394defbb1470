import type { Secret } from '../config/types.js';
import { readFirstLine } from '../lib/read-text.js';
import { DeliveryFailure } from './target.js';

/**
 * The secret, which may be the first line of a file: that is read each time, so that it can be replaced while the gateway runs. Fails with
 * a DeliveryFailure.
 *
 * @param what what it is, for the message: `the secret`
 */
export async function secretText(what: string, secret: Secret): Promise<string> {
  if ('value' in secret) return secret.value;
  return readFirstLine(what, secret.file).catch((error: Error) => {
    throw new DeliveryFailure(error.message);
  });
}
