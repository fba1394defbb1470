import { hasCode, StoreError } from '../../core/errors.js';
import type { ObjectRef } from '../../core/object.js';
import type { TrashedObject } from '../../core/trash.js';
import type { FileSystem } from './file-system.js';
import { requireFolders } from './folders.js';
import { objectFolders, trashedFolders } from './layout.js';

/** The error for an object that the store, or its trash, doesn't have. */
export function missing(object: ObjectRef | TrashedObject): StoreError {
  const text = isTrashed(object)
    ? `no such ${object.ref.kind} ${object.ref.mac} in the trash of this store`
    : `no ${object.kind} ${object.mac} in this store`;
  return new StoreError('not_found', text);
}

/** The same. Fails with another error if it's the whole store that isn't there. */
export async function whyMissing(files: FileSystem, object: ObjectRef | TrashedObject): Promise<StoreError> {
  await requireFolders(files, isTrashed(object) ? trashedFolders(object) : objectFolders(object));
  return missing(object);
}

/** The result of an operation on an object's file, whose `not_found` becomes an error that says what is missing. */
export async function explainMissing<T>(
  files: FileSystem,
  object: ObjectRef | TrashedObject,
  result: Promise<T>,
): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw hasCode(error, 'not_found') ? await whyMissing(files, object) : error;
  }
}

function isTrashed(object: ObjectRef | TrashedObject): object is TrashedObject {
  return 'id' in object;
}
