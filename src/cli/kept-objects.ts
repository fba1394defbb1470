import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { chunksOf } from '../integrity/object-reader.js';
import type { RepairOptions } from '../integrity/repair.js';
import { syncFolder } from '../lib/sync-folder.js';

/**
 * Writes damaged objects to files in a folder, which is made: `<kind>-<MAC>`, and `<kind>-<MAC>.2` where there is one already. They survive a power
 * cut when this resolves.
 */
export function keepIn(folder: string): NonNullable<RepairOptions['keep']> {
  return async ({ kind, mac }, read) => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await openNew(join(folder, `${kind}-${mac}`));
    try {
      for await (const chunk of chunksOf(read)) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await syncFolder(folder);
  };
}

async function openNew(path: string): Promise<FileHandle> {
  for (let number = 1; ; number++) {
    try {
      return await open(number === 1 ? path : `${path}.${number}`, 'wx', 0o600);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}
