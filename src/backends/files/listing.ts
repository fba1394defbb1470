import { ifPresent } from '../../core/errors.js';
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
    const folder = kindFolder(kind);
    const found = await ifPresent(this.files.list(folder));
    // One that isn't there is empty, provided that the store itself is, and that nothing else has its name.
    if (found === undefined) await requireFolders(this.files, [folder]);
    const top = found ?? [];
    const batches = hasBuckets(kind) ? this.buckets(kind, top) : [macsAmong(top)];
    for await (const batch of batches) if (batch.length > 0) yield batch;
  }

  /** Frees the cache. */
  close(): void {
    for (const index of Object.values(this.indexes)) index.clear();
  }

  private buckets(kind: ObjectKind, top: readonly DirectoryEntry[]): AsyncIterable<MacBatch> {
    // A bucket may be a link to a folder elsewhere: what can be read by name has to be listed too.
    const buckets = top.filter(({ name, type }) => isBucket(name) && type !== 'file').map(({ name }) => name);
    const index = this.indexes[kind];
    index.retain(buckets);
    return mapAhead(buckets.sort(), this.files.listConcurrency, (bucket) => index.read(bucket));
  }
}
