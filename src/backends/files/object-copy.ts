import type { ObjectRef } from '../../core/object.js';
import type { FileSystem } from './file-system.js';
import { writeFile } from './file-writer.js';
import { kindFolder, objectPath, temporaryPath } from './layout.js';
import { readCopies } from './reading.js';
import type { UploadOptions } from './upload.js';

export type ObjectCopyOptions = Pick<UploadOptions, 'durable' | 'host' | 'fileMode' | 'active'>;

/**
 * Copies an object's file, with the time of its arrival, to a path on the disk of its kind's folder: whole or not at all. `not_found` if there is
 * no such object, or no such folder.
 */
export async function copyObject(
  files: FileSystem,
  ref: ObjectRef,
  to: string,
  { durable, host: { name, pid }, fileMode, active }: ObjectCopyOptions,
): Promise<void> {
  const object = await files.open(objectPath(ref));
  const temporary = temporaryPath(kindFolder(ref.kind), { host: name, pid });
  active.add(temporary);
  try {
    await writeFile(() => files.create(temporary, fileMode), readCopies(object, files.readAhead(0)), durable);
    await files.setModified(temporary, object.modifiedMs);
    await files.rename(temporary, to);
  } finally {
    await object.close();
    // If this fails, the sweep removes it later.
    await files.remove(temporary).catch(() => undefined);
    active.delete(temporary);
  }
}
