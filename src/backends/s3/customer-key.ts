import { StoreError } from '../../core/errors.js';
import { readBytes } from '../../lib/read-text.js';

/** A key of AES-256. */
const keyBytes = 32;

/**
 * Reads the file with the key of SSE-C: 32 bytes, as they are or in base64 on one line. Fails with `invalid_argument` and a message for the
 * operator that doesn't repeat any of it.
 *
 * @param warn is called with a warning if every user of this machine can read the file
 */
export async function readCustomerKey(
  path: string,
  warn: (warning: string) => void = () => undefined,
): Promise<Buffer> {
  const { bytes, mode } = await readBytes('the SSE customer key', path).catch((error: Error) => {
    throw new StoreError('invalid_argument', error.message, { cause: error });
  });
  if ((mode & 0o004) !== 0)
    warn(`${path} has an encryption key, and every user of this machine can read it: \`chmod o-r\` it`);
  const key = bytes.length === keyBytes ? bytes : parseCustomerKey(bytes.toString('latin1').trim());
  if (key !== undefined) return key;
  const advice = `as they are or in base64: \`openssl rand -base64 ${keyBytes}\` makes one`;
  throw new StoreError('invalid_argument', `the SSE customer key in ${path} has to be ${keyBytes} bytes, ${advice}`);
}

/** A key in base64; undefined if it isn't one. */
export function parseCustomerKey(base64: string): Buffer | undefined {
  const key = Buffer.from(base64, 'base64');
  return key.length === keyBytes && key.toString('base64') === base64 ? key : undefined;
}
