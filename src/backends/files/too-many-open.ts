import { StoreError } from '../../core/errors.js';

/** As many files are open as may be, here or at the file server: who closes some may try again at once. */
export class TooManyOpen extends StoreError {
  constructor(message: string, cause: unknown) {
    super('unavailable', message, { cause });
  }
}
