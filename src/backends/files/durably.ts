import { hasCode, StoreError } from '../../core/errors.js';
import type { FileSystem } from './file-system.js';

/** How often a change is tried again when the file server was reconnected to during it. */
const maxAttempts = 10;

/**
 * Makes a change of names that survives a power cut. If the connection to the file server was lost during it, the server may have crashed
 * between the change and the sync, have forgotten the change, which it had acknowledged, and have synced the old state: then everything
 * is done again.
 *
 * @param work changes the name and syncs its folder; it is told whether an earlier attempt may have done so already
 */
export async function durably(files: FileSystem, work: (again: boolean) => Promise<void>): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    const before = files.connectionCount;
    await work(attempts > 1).catch((error: unknown) => {
      if (hasCode(error, 'not_found')) throw lostWrite(error);
      throw error;
    });
    if (files.connectionCount === before) return;
    if (attempts === maxAttempts) throw lostWrite();
  }
}

/** The error for a file that disappeared or changed after it was written. */
export function lostWrite(cause?: unknown): StoreError {
  return new StoreError(
    'unavailable',
    'the upload was lost, because its server went down or its file was removed: try again',
    { cause },
  );
}
