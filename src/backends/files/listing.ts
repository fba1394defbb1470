import { hasCode } from '../../core/errors.js';
import type { MacBatch } from '../../core/mac-batch.js';
import type { ObjectKind } from '../../core/object.js';
import { mapAhead } from '../../lib/map-ahead.js';
import type { DirectoryEntry, FileSystem } from './file-system.js';
import { requireFolders } from './folders.js';
import { hasBuckets, isBucket, kindFolder } from './layout.js';
import { ListingIndex, macsAmong } from './listing-index.js';

/** The lists of a store, which share a cache. */
export class Listing {
  private readonly indexes: Readonly<Record<ObjectKind, ListingIndex>>;

  constructor(private readonly files: FileSystem) {
    const index = (kind: ObjectKind): ListingIndex => new ListingIndex(files, kind);
    this.indexes = { packfile: index('packfile'), state: index('state'), lock: index('lock') };
  }

  /** The batches of a Store's list: one for each folder with objects. */
  async *list(kind: ObjectKind): AsyncGenerator<MacBatch, void, undefined> {
    const top = await entriesOf(this.files, kindFolder(kind));
    if (!hasBuckets(kind)) {
      yield* nonEmpty(macsAmong(top));
      return;
    }
    // A bucket may be a link to a folder elsewhere: what can be read by name has to be listed too.
    const buckets = top.filter(({ name, type }) => isBucket(name) && type !== 'file').map(({ name }) => name);
    const index = this.indexes[kind];
    index.retain(buckets);
    const batches = mapAhead(buckets.sort(), this.files.listConcurrency, (bucket) => index.read(bucket));
    for await (const batch of batches) yield* nonEmpty(batch);
  }

  /** Frees the cache. */
  close(): void {
    for (const index of Object.values(this.indexes)) index.clear();
  }
}

/** What is in a kind's folder. One that isn't there is empty, provided that the store itself is, and that nothing else has its name. */
async function entriesOf(files: FileSystem, path: string): Promise<DirectoryEntry[]> {
  try {
    return await files.list(path);
  } catch (error) {
    if (!hasCode(error, 'not_found')) throw error;
    await requireFolders(files, [path]);
    return [];
  }
}

function* nonEmpty(batch: MacBatch): Generator<MacBatch, void, undefined> {
  if (batch.length > 0) yield batch;
}
