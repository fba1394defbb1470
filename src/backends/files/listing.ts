import { hasCode, StoreError } from '../../core/errors.js';
import type { Mac, ObjectKind } from '../../core/object.js';
import { mapAhead } from '../../core/map-ahead.js';
import type { DirectoryEntry, FileSystem } from './file-system.js';
import { bucketFolder, configPath, hasBuckets, isBucket, kindFolder, macOfName } from './layout.js';

/** The batches of a Store's list: one for each folder that has objects, each sorted, folder by folder. */
export async function* listObjects(
  files: FileSystem,
  kind: ObjectKind,
): AsyncGenerator<readonly Mac[], void, undefined> {
  const top = await entriesOf(files, kindFolder(kind));
  if (!hasBuckets(kind)) {
    yield* nonEmpty(macsIn(top, undefined));
    return;
  }
  // A bucket may be a link to a folder elsewhere: what can be read by name has to be listed too.
  const buckets = top.filter(({ name, type }) => isBucket(name) && type !== 'file').map(({ name }) => name);
  const batches = mapAhead(buckets.sort(), files.listAhead, async (bucket) =>
    macsIn(await bucketEntries(files, bucketFolder(kind, bucket)), bucket),
  );
  for await (const batch of batches) yield* nonEmpty(batch);
}

/**
 * Fails with `unavailable` unless the store's CONFIG is there. Where something is missing, this tells a store that doesn't
 * have it from a disk that is not mounted.
 */
export async function requireRoot(files: FileSystem): Promise<void> {
  try {
    await files.stat(configPath);
  } catch (error) {
    if (!hasCode(error, 'not_found')) throw error;
    throw new StoreError('unavailable', "the store's CONFIG is gone: is its disk mounted?", { cause: error });
  }
}

/** What is in a kind's folder; nothing where it is missing, but only in a store that is there. */
async function entriesOf(files: FileSystem, path: string): Promise<DirectoryEntry[]> {
  try {
    return await files.list(path);
  } catch (error) {
    if (!hasCode(error, 'not_found')) throw error;
    await requireRoot(files);
    return [];
  }
}

/** What is in a bucket that is known to be there: one that can't be read must not look like an empty one. */
async function bucketEntries(files: FileSystem, path: string): Promise<DirectoryEntry[]> {
  try {
    return await files.list(path);
  } catch (error) {
    if (!hasCode(error, 'not_found')) throw error;
    throw new StoreError('unavailable', "one of the store's folders can't be read: is what it links to mounted?", {
      cause: error,
    });
  }
}

function macsIn(entries: readonly DirectoryEntry[], bucket: string | undefined): readonly Mac[] {
  const macs: Mac[] = [];
  for (const { name, type } of entries) {
    const mac = type === 'file' ? macOfName(name, bucket) : undefined;
    if (mac !== undefined) macs.push(mac);
  }
  return Object.freeze(macs.sort());
}

function* nonEmpty(batch: readonly Mac[]): Generator<readonly Mac[], void, undefined> {
  if (batch.length > 0) yield batch;
}
