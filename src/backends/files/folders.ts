import { hasCode } from '../../core/errors.js';
import type { ObjectRef } from '../../core/object.js';
import type { FileSystem } from './file-system.js';
import { kindFolder, objectFolder } from './layout.js';
import { requireRoot } from './listing.js';

export interface FoldersOptions {
  /** Whether folders are synced. */
  readonly durable: boolean;
  /** The permissions of new ones. */
  readonly folderMode: number;
}

/** The folders that a store's objects are in: makes them where they are missing, and has the names in them survive a power cut. */
export class Folders {
  /** Those whose own names were synced. Others may have been made by somebody who is about to, or was cut off before. */
  private readonly named = new Set<string>();

  constructor(
    private readonly files: FileSystem,
    private readonly options: FoldersOptions,
  ) {}

  /** Runs `work`, and once more with the folders of an object made that it misses. */
  within<T>(ref: ObjectRef, work: () => Promise<T>): Promise<T> {
    return work().catch(async (error: unknown) => {
      if (!hasCode(error, 'not_found')) throw error;
      await this.make(ref);
      return work();
    });
  }

  /** Has an object's name, or that it is gone, survive a power cut. Throws `not_found` where the folder isn't there. */
  async sync(ref: ObjectRef): Promise<void> {
    if (!this.options.durable) return;
    await this.files.syncFolder(objectFolder(ref));
    await this.syncNames(ref);
  }

  private async syncNames(ref: ObjectRef): Promise<void> {
    const [top, folder] = [kindFolder(ref.kind), objectFolder(ref)];
    await this.syncName(top, '.');
    if (folder !== top) await this.syncName(folder, top);
  }

  private async syncName(folder: string, parent: string): Promise<void> {
    if (this.named.has(folder)) return;
    await this.files.syncFolder(parent);
    this.named.add(folder);
  }

  private async make(ref: ObjectRef): Promise<void> {
    // Never on an empty mount point: the store's files would land on the wrong disk.
    await requireRoot(this.files);
    const [top, folder] = [kindFolder(ref.kind), objectFolder(ref)];
    await this.makeOne(top);
    if (folder !== top) await this.makeOne(folder);
    if (this.options.durable) await this.syncNames(ref);
  }

  private async makeOne(path: string): Promise<void> {
    try {
      await this.files.makeFolder(path, this.options.folderMode);
      this.named.delete(path);
    } catch (error) {
      if (!hasCode(error, 'already_exists')) throw error;
    }
  }
}
