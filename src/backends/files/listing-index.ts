import { hasCode, StoreError } from '../../core/errors.js';
import { MacBatch } from '../../core/mac-batch.js';
import type { ObjectKind } from '../../core/object.js';
import type { DirectoryEntry, FileSystem } from './file-system.js';
import { bucketFolder } from './layout.js';

/** What a bucket had when its folder was of that version. */
interface Reading {
  readonly version: string;
  readonly macs: MacBatch;
}

/** What is kept of one kind at most: two million objects. Buckets beyond that are read each time. */
const defaultMaxBytes = 128 * 1024 * 1024;

/**
 * What is in the buckets of one kind, so that a list reads only those that have changed since they were read last. Who changed
 * them, this process or another, makes no difference: what is kept is used only where the folder proves to be the same.
 */
export class ListingIndex {
  private readonly readings = new Map<string, Reading>();
  private keptBytes = 0;

  constructor(
    private readonly files: FileSystem,
    private readonly kind: ObjectKind,
    private readonly maxBytes = defaultMaxBytes,
  ) {}

  /**
   * The objects in a bucket that is known to be there. Whatever keeps it from being looked at is an error: what can't be read
   * must not look like an empty bucket, nor like what it was before.
   */
  async read(bucket: string): Promise<MacBatch> {
    const folder = bucketFolder(this.kind, bucket);
    try {
      // Asked before the names are read: a change in between is in them already, or the next version is another one.
      const version = await this.files.folderVersion(folder);
      const known = this.readings.get(bucket);
      if (known !== undefined && known.version === version) return known.macs;
      this.forget(bucket);
      const macs = macsAmong(await this.files.list(folder), bucket);
      if (version !== undefined) this.keep(bucket, { version, macs });
      return macs;
    } catch (error) {
      this.forget(bucket);
      if (!hasCode(error, 'not_found')) throw error;
      throw new StoreError('unavailable', "one of the store's folders can't be read: is what it links to mounted?", {
        cause: error,
      });
    }
  }

  /** Forgets all buckets but these. */
  retain(buckets: readonly string[]): void {
    const present = new Set(buckets);
    for (const bucket of this.readings.keys()) if (!present.has(bucket)) this.forget(bucket);
  }

  private keep(bucket: string, reading: Reading): void {
    // Another list may have read the bucket meanwhile.
    this.forget(bucket);
    if (this.keptBytes + reading.macs.byteLength > this.maxBytes) return;
    this.readings.set(bucket, reading);
    this.keptBytes += reading.macs.byteLength;
  }

  private forget(bucket: string): void {
    this.keptBytes -= this.readings.get(bucket)?.macs.byteLength ?? 0;
    this.readings.delete(bucket);
  }
}

/** The objects among what is in a folder: regular files with the name of a MAC, in a bucket with one that belongs there. */
export function macsAmong(entries: readonly DirectoryEntry[], bucket = ''): MacBatch {
  const names: string[] = [];
  for (const { name, type } of entries) if (type === 'file') names.push(name);
  return MacBatch.fromNames(names, bucket);
}
