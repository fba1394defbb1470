import { hasCode, ifPresent, StoreError } from '../../core/errors.js';
import type { ObjectRef } from '../../core/object.js';
import { OtherDisk, type FileSystem } from './file-system.js';
import { objectFolders } from './layout.js';

/**
 * Whether a new name for an object's file failed since its folder is on another disk. SFTP servers don't say why: a folder that is a link is then
 * taken to lead to another disk.
 */
export async function isOtherDisk(files: FileSystem, ref: ObjectRef, error: unknown): Promise<boolean> {
  return error instanceof OtherDisk || (hasCode(error, 'internal') && (await isLinked(files, ref)));
}

/** The error of moving an object into the trash or back, with what to do if they are on different disks; every other error unchanged. */
export async function explainOtherDisk(files: FileSystem, ref: ObjectRef, error: unknown): Promise<unknown> {
  if (!(await isOtherDisk(files, ref, error))) return error;
  return new StoreError(
    'unimplemented',
    `this ${ref.kind} and the store's trash are on different disks, so it can't be moved between them: ` +
      "the store's operator has to keep it on one disk, or without a trash",
    { cause: error },
  );
}

async function isLinked(files: FileSystem, ref: ObjectRef): Promise<boolean> {
  for (const folder of objectFolders(ref)) {
    if ((await ifPresent(files.stat(folder)))?.type === 'other') return true;
  }
  return false;
}
