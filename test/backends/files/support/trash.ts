import type { FileStore } from '../../../../src/backends/files/file-store.js';
import type { TrashedObject } from '../../../../src/core/trash.js';

/** Everything in a store's trash, the oldest first. */
export async function listTrash({ trash }: FileStore): Promise<TrashedObject[]> {
  const objects: TrashedObject[] = [];
  for await (const object of trash.list()) objects.push(object);
  return objects.sort((one, other) => one.deletedMs - other.deletedMs);
}
