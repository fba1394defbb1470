import { setImmediate } from 'node:timers/promises';
import type { DirectoryEntry } from './file-system.js';

/** How many names there are in a batch at most. */
export const batchSize = 1000;

/** What a list resolves to in batches, for file systems that can't list a part of a folder. Other work is done between them. */
export async function* inTurns(
  list: () => Promise<readonly DirectoryEntry[]>,
): AsyncGenerator<readonly DirectoryEntry[], void, undefined> {
  const entries = await list();
  for (let start = 0; start < entries.length; start += batchSize) {
    if (start > 0) await setImmediate();
    yield entries.slice(start, start + batchSize);
  }
}
