import { hasCode, StoreError } from '../../core/errors.js';
import type { FileSystem } from './file-system.js';

/** How often a file server may go down in the middle before whoever waits is told. A link that fails looks the same. */
const maxAttempts = 10;

/**
 * Changes a name, and has that survive a power cut. Where the file server may have gone down between the two, it may have forgotten the
 * change, which it had said yes to, and have synced what was before: then all of it is done again.
 *
 * @param work changes the name and syncs its folder; it is told whether it may have done so before
 */
export async function durably(files: FileSystem, work: (again: boolean) => Promise<void>): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    const before = files.connects;
    await work(attempts > 1).catch((error: unknown) => {
      if (hasCode(error, 'not_found')) throw lost(error);
      throw error;
    });
    if (files.connects === before) return;
    if (attempts === maxAttempts) throw lost();
  }
}

/** What somebody is told whose file isn't what it was when it was written, or is gone. */
export function lost(cause?: unknown): StoreError {
  const why = 'what was written is lost, as its server went down or somebody removed it';
  return new StoreError('unavailable', `${why}: try again`, { cause });
}
