import { hasCode } from '../../core/errors.js';
import { MacBatch } from '../../core/mac-batch.js';
import type { ObjectKind } from '../../core/object.js';
import type { DirectoryEntry, FileSystem } from './file-system.js';
import { unreachable } from './folders.js';
import { bucketFolder } from './layout.js';
import { listMemory } from './list-memory.js';

/** The objects of a bucket while its folder has this version. */
interface CachedBucket {
  readonly version: string;
  readonly macs: MacBatch;
}

/**
 * Caches what is in the buckets of one kind, so that a list reads only the folders that have changed since they were last read. It
 * doesn't matter who changed them, this process or another: a bucket is used only while its folder's version proves that it is unchanged.
 */
export class ListingIndex {
  private readonly cache = new Map<string, CachedBucket>();

  constructor(
    private readonly files: FileSystem,
    private readonly kind: ObjectKind,
    private readonly memory = listMemory,
  ) {}

  /**
   * The objects in a bucket that is known to exist. Any failure to look at it is an error: an unreadable bucket must look neither
   * empty nor as it was before.
   */
  async read(bucket: string): Promise<MacBatch> {
    const folder = bucketFolder(this.kind, bucket);
    try {
      // Before the names are read: a change in between is then in the names already, or the next version is another one.
      const version = await this.files.folderVersion(folder);
      const cached = this.cache.get(bucket);
      if (cached !== undefined && cached.version === version) return cached.macs;
      this.forget(bucket);
      const macs = macsAmong(await this.files.list(folder), bucket);
      if (version !== undefined) this.keep(bucket, { version, macs });
      return macs;
    } catch (error) {
      this.forget(bucket);
      if (!hasCode(error, 'not_found')) throw error;
      throw unreachable(error);
    }
  }

  /** Begins a list of these buckets; all others are forgotten. */
  retain(buckets: readonly string[]): void {
    this.memory.touch(this);
    const present = new Set(buckets);
    for (const bucket of this.cache.keys()) if (!present.has(bucket)) this.forget(bucket);
  }

  /** Forgets everything. */
  clear(): void {
    for (const bucket of this.cache.keys()) this.forget(bucket);
    this.memory.remove(this);
  }

  private keep(bucket: string, entry: CachedBucket): void {
    // A concurrent list may have read the same bucket.
    this.forget(bucket);
    if (this.memory.reserve(this, entry.macs.byteLength)) this.cache.set(bucket, entry);
  }

  private forget(bucket: string): void {
    this.memory.release(this.cache.get(bucket)?.macs.byteLength ?? 0);
    this.cache.delete(bucket);
  }
}

/** The objects among a folder's entries: regular files that are named like a MAC, in a bucket like one that belongs there. */
export function macsAmong(entries: readonly DirectoryEntry[], bucket = ''): MacBatch {
  const names: string[] = [];
  for (const { name, type } of entries) if (type === 'file') names.push(name);
  return MacBatch.fromNames(names, bucket);
}
