import { hasCode } from '../../core/errors.js';
import { objectKinds } from '../../core/object.js';
import type { FileSystem } from './file-system.js';
import { kindFolder } from './layout.js';
import { isLeftover, parseTemporary, type Host } from './temporary.js';

/**
 * Removes the temporary files of gateways that died during an upload; those of running gateways and of other programs stay. Resolves to
 * the number of files removed.
 *
 * @param active the temporary files that this process is writing: by the file server's clock they may look old
 */
export async function sweep(files: FileSystem, host: Host, active: ReadonlySet<string>): Promise<number> {
  let removed = 0;
  for (const kind of objectKinds) {
    const folder = kindFolder(kind);
    const entries = await unlessMissing(files.list(folder));
    for (const { name, type } of entries ?? []) {
      const temporary = type === 'file' ? parseTemporary(name) : undefined;
      const path = `${folder}/${name}`;
      if (temporary === undefined || active.has(path)) continue;
      const stat = await unlessMissing(files.stat(path));
      if (stat === undefined || !isLeftover(temporary, stat.modifiedMs, host, Date.now())) continue;
      await unlessMissing(files.remove(path));
      removed++;
    }
  }
  return removed;
}

/** A file can disappear at any moment: its upload ends, or another gateway sweeps too. */
async function unlessMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (hasCode(error, 'not_found')) return undefined;
    throw error;
  }
}
