import { hasCode } from '../../core/errors.js';
import { objectKinds } from '../../core/object.js';
import type { DirectoryEntry, FileSystem } from './file-system.js';
import { bucketFolder, hasBuckets, isBucket, kindFolder } from './layout.js';
import { isLeftover, parseTemporary, type Host } from './temporary.js';

/** Removes the temporary files of gateways that died during an upload, and no others: neither a living one's nor other writers'. */
export class Sweeper {
  /** The folders in which there was no gateway's file, and their versions then: they need no other look. */
  private readonly clean = new Map<string, string>();

  constructor(
    private readonly files: FileSystem,
    private readonly host: Host,
  ) {}

  /** Looks through all folders in which there may be any. Resolves to how many files it removed. */
  async sweep(): Promise<number> {
    let removed = 0;
    for (const kind of objectKinds) {
      const top = await this.entries(kindFolder(kind));
      removed += await this.sweepEntries(kindFolder(kind), top);
      if (!this.files.temporariesInBuckets || !hasBuckets(kind)) continue;
      const buckets = top.filter(({ name, type }) => isBucket(name) && type !== 'file');
      for (const { name } of buckets) removed += await this.sweepBucket(bucketFolder(kind, name));
    }
    return removed;
  }

  private async sweepBucket(folder: string): Promise<number> {
    // Asked before it is read: what is added meanwhile makes it another one.
    const version = await unlessMissing(this.files.folderVersion(folder));
    if (version !== undefined && this.clean.get(folder) === version) return 0;
    const entries = (await this.entries(folder)).filter(({ name }) => parseTemporary(name) !== undefined);
    if (version !== undefined && entries.length === 0) this.clean.set(folder, version);
    return this.sweepEntries(folder, entries);
  }

  private async sweepEntries(folder: string, entries: readonly DirectoryEntry[]): Promise<number> {
    let removed = 0;
    for (const { name, type } of entries) {
      const temporary = type === 'file' ? parseTemporary(name) : undefined;
      if (temporary === undefined) continue;
      const path = `${folder}/${name}`;
      const stat = await unlessMissing(this.files.stat(path));
      if (stat === undefined || !isLeftover(temporary, stat.modifiedMs, this.host, Date.now())) continue;
      await unlessMissing(this.files.remove(path));
      removed++;
    }
    return removed;
  }

  private async entries(folder: string): Promise<readonly DirectoryEntry[]> {
    return (await unlessMissing(this.files.list(folder))) ?? [];
  }
}

/** An upload may end, and another gateway may sweep, at any moment: what is gone by then is nothing to do. */
async function unlessMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (hasCode(error, 'not_found')) return undefined;
    throw error;
  }
}
