import { hasCode, ifPresent, StoreError } from '../../core/errors.js';
import type { ObjectRef } from '../../core/object.js';
import type { FileSystem } from './file-system.js';
import { configPath, objectFolders } from './layout.js';

export interface FoldersOptions {
  /** Whether folders are synced. */
  readonly durable: boolean;
  /** The permissions of new ones. */
  readonly folderMode: number;
}

/** How often a change is tried again when the file server was reconnected to during it. */
const maxAttempts = 10;

/** The folders of a store's objects, and of its trash: creates missing ones, and makes the names in them durable. */
export class Folders {
  /** Folders whose own names were synced here. Others may have been created by a process that has not synced them yet, or never did. */
  private readonly synced = new Set<string>();

  constructor(
    private readonly files: FileSystem,
    private readonly options: FoldersOptions,
  ) {}

  /**
   * Makes a change of names that survives a power cut. If the connection to the file server was lost during it, the server may have crashed
   * between the change and the sync, have forgotten the change, which it had acknowledged, and have synced the old state: then everything
   * is done again.
   *
   * @param work changes the name and syncs its folder; it is told whether an earlier attempt may have done so already
   */
  async durably(work: (again: boolean) => Promise<void>): Promise<void> {
    for (let attempts = 1; ; attempts++) {
      const before = this.files.connectionCount;
      await work(attempts > 1).catch((error: unknown) => {
        if (hasCode(error, 'not_found')) throw lostWrite(error);
        throw error;
      });
      if (this.files.connectionCount === before) return;
      if (attempts === maxAttempts) throw lostWrite();
    }
  }

  /** Runs `work`; if it fails with `not_found`, creates the folders of the object and runs it once more. */
  async within<T>(ref: ObjectRef, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error;
      await this.make(objectFolders(ref));
      return work();
    }
  }

  /** Makes an object's name durable, or that it was removed. `not_found` if the folder is missing. */
  sync(ref: ObjectRef): Promise<void> {
    return this.syncAll(objectFolders(ref));
  }

  /** Makes the names in the last of these folders durable, and those of the folders, each of which is in the one before it. */
  async syncAll(folders: readonly string[]): Promise<void> {
    const last = folders.at(-1);
    if (!this.options.durable || last === undefined) return;
    await this.files.syncFolder(last);
    await this.syncNames(folders);
  }

  /** Creates those of these folders that are missing, each of which is in the one before it. Their names are durable then. */
  async make(folders: readonly string[]): Promise<void> {
    // Never on an empty mount point: the store's files would land on the wrong disk.
    await requireFolders(this.files, folders);
    for (const folder of folders) await this.makeOne(folder);
    if (this.options.durable) await this.syncNames(folders);
  }

  private async syncNames(folders: readonly string[]): Promise<void> {
    let parent = '.';
    for (const folder of folders) {
      await this.syncName(folder, parent);
      parent = folder;
    }
  }

  private async syncName(folder: string, parent: string): Promise<void> {
    if (this.synced.has(folder)) return;
    await this.files.syncFolder(parent);
    this.synced.add(folder);
  }

  private async makeOne(path: string): Promise<void> {
    try {
      await this.files.makeFolder(path, this.options.folderMode);
      this.synced.delete(path);
    } catch (error) {
      if (!hasCode(error, 'already_exists')) throw error;
    }
  }
}

/** The error for a file that disappeared or changed after it was written. */
export function lostWrite(cause?: unknown): StoreError {
  return new StoreError(
    'unavailable',
    'the upload was lost, because its server went down or its file was removed: try again',
    { cause },
  );
}

/**
 * Fails with `unavailable` unless the store's CONFIG is there, and each of these folders is one or isn't there at all. When something is
 * missing, this tells a store that doesn't have it from a disk that isn't mounted.
 */
export async function requireFolders(files: FileSystem, folders: readonly string[] = []): Promise<void> {
  try {
    await files.stat(configPath);
  } catch (error) {
    if (!hasCode(error, 'not_found')) throw error;
    throw new StoreError('unavailable', "the store's CONFIG is gone: is its disk mounted?", { cause: error });
  }
  for (const folder of folders) {
    const found = await ifPresent(files.stat(folder));
    // A link may lead to a folder.
    const isFolder =
      found === undefined || found.type === 'folder' || (await ifPresent(files.list(folder))) !== undefined;
    if (!isFolder) throw unreachable();
  }
}

/** The error for a link to a folder that isn't there, or for something else that has a folder's name. */
export function unreachable(cause?: unknown): StoreError {
  const text = "one of the store's folders can't be read: is it a folder, and is what it links to mounted?";
  return new StoreError('unavailable', text, { cause });
}
