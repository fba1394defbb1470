import { StoreError } from '../../core/errors.js';
import { readBytes } from '../../lib/read-text.js';

/** Reads a file among the options. Fails with `invalid_argument` where it can't be read. @param what it is, for the message */
export async function readOption(what: string, file: string): Promise<Buffer> {
  const { bytes } = await readBytes(what, file).catch((cause: Error) => {
    throw new StoreError('invalid_argument', cause.message, { cause });
  });
  return bytes;
}
