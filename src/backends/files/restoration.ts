import { hasCode, ifPresent } from '../../core/errors.js';
import type { TrashedObject } from '../../core/trash.js';
import type { FileSystem } from './file-system.js';
import type { Folders } from './folders.js';
import { objectPath, trashedPath } from './layout.js';
import { explainOtherDisk } from './other-disk.js';
import { readChunks } from './reading.js';
import { sameBytes } from './upload.js';

/** What came of it: the object has its name in the store again; another one has that name; there is none in the trash. */
export type Restoration = 'done' | 'taken' | 'missing';

/**
 * Gives an object in the trash its name in the store, beside the one in the trash. Never replaces. With servers without hard links, the one
 * in the trash is gone then.
 *
 * @param again whether an earlier attempt may have done so already
 */
export async function moveBack(
  files: FileSystem,
  folders: Folders,
  object: TrashedObject,
  again: boolean,
): Promise<Restoration> {
  const [from, to] = [trashedPath(object), objectPath(object.ref)];
  if (!(await files.exists(from))) return again && (await files.exists(to)) ? 'done' : 'missing';
  try {
    await folders.within(object.ref, () => files.link(from, to));
    return 'done';
  } catch (error) {
    if (hasCode(error, 'not_found')) return 'missing';
    if (!hasCode(error, 'already_exists')) throw await explainOtherDisk(files, object.ref, error);
    // The name may be from a restore that was interrupted.
    return (await isSame(files, from, to)) ? 'done' : 'taken';
  }
}

/** Whether two names are one file's; where the file server doesn't tell, whether their files look the same and have the same bytes. */
export async function isSame(files: FileSystem, path: string, other: string): Promise<boolean> {
  const [one, two] = await Promise.all([path, other].map((each) => ifPresent(files.stat(each))));
  if (one?.type !== 'file' || two?.type !== 'file') return false;
  if (one.id !== undefined && two.id !== undefined) return one.id === two.id;
  return one.size === two.size && one.modifiedMs === two.modifiedMs && (await haveSameBytes(files, path, other));
}

async function haveSameBytes(files: FileSystem, path: string, other: string): Promise<boolean> {
  const one = await files.open(path);
  try {
    const two = await files.open(other);
    try {
      return await sameBytes(one, readChunks(two, 0, two.size, files.readAhead(0)));
    } finally {
      await two.close();
    }
  } finally {
    await one.close();
  }
}
