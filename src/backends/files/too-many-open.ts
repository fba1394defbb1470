import { StoreError } from '../../core/errors.js';

/** The limit of open files is reached, here or at the file server: after closing some, the operation can be tried again. */
export class TooManyOpen extends StoreError {
  constructor(message: string, cause: unknown) {
    super('unavailable', message, { cause });
  }
}
