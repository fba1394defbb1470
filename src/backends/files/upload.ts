import { hasCode, StoreError } from '../../core/errors.js';
import type { ObjectRef } from '../../core/object.js';
import type { FileSystem, ReadableFile, WritableFile } from './file-system.js';
import { FileWriter } from './file-writer.js';
import type { FreeSpace } from './free-space.js';
import { kindFolder, objectFolder, objectPath } from './layout.js';
import { requireRoot } from './listing.js';
import { readChunks } from './reading.js';
import { temporaryName, type Host } from './temporary.js';

export interface UploadOptions {
  /** Whether files and folders are synced. */
  readonly durable: boolean;
  /** The permissions of new files and folders. */
  readonly fileMode: number;
  readonly folderMode: number;
  /** Keeps a part of the disk free. Locks are small, and backups couldn't end without them: they are not held up. */
  readonly space: FreeSpace;
  readonly host: Host;
}

/** Puts one object into a store of files, so that it is there whole or not at all. */
export class Upload {
  private readonly path: string;
  private readonly folder: string;
  private readonly temporary: string;

  constructor(
    private readonly files: FileSystem,
    private readonly ref: ObjectRef,
    private readonly options: UploadOptions,
  ) {
    this.path = objectPath(ref);
    this.folder = objectFolder(ref);
    this.temporary = `${kindFolder(ref.kind)}/${temporaryName(options.host)}`;
  }

  /** Stores an immutable object. Resolves to whether it is new; false where the same bytes were there. */
  async create(chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
    // What is there already needs no room, and may be put again on a full disk.
    const present = await this.openPresent();
    if (present !== undefined) {
      await this.requireSame(present, chunks);
      return false;
    }
    return this.withTemporary(this.options.space.guard(chunks), async () => {
      try {
        await this.inFolder(() => this.files.link(this.temporary, this.path));
      } catch (error) {
        if (!hasCode(error, 'already_exists')) throw error;
        await this.requireSameAsWritten();
        return false;
      }
      await this.syncFolder();
      return true;
    });
  }

  /** Stores an object, replacing the one that is there. */
  async replace(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await this.withTemporary(chunks, async () => {
      await this.inFolder(() => this.files.rename(this.temporary, this.path));
      await this.syncFolder();
    });
  }

  /** Runs `publish` once all chunks are in the temporary file; the temporary name is gone afterwards, whatever happens. */
  private async withTemporary<T>(chunks: AsyncIterable<Uint8Array>, publish: () => Promise<T>): Promise<T> {
    try {
      await this.write(chunks);
      return await publish();
    } finally {
      // Where there is none any more, or removing fails as the rest did, there is nothing to add: the sweep comes by later.
      await this.files.remove(this.temporary).catch(() => undefined);
    }
  }

  /** The file is made when there is something to write. */
  private async write(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { durable, fileMode } = this.options;
    const create = (): Promise<WritableFile> => this.inFolder(() => this.files.create(this.temporary, fileMode));
    const writer = new FileWriter(create, durable);
    try {
      for await (const chunk of chunks) {
        const written = writer.write(chunk);
        if (written !== undefined) await written;
      }
      await writer.end();
    } catch (error) {
      await writer.giveUp();
      throw error;
    }
  }

  /** Runs `work`, and once more with the folders made that it misses. */
  private inFolder<T>(work: () => Promise<T>): Promise<T> {
    return work().catch(async (error: unknown) => {
      if (!hasCode(error, 'not_found')) throw error;
      await this.makeFolders();
      return work();
    });
  }

  private async makeFolders(): Promise<void> {
    // Never on an empty mount point: the store's files would land on the wrong disk.
    await requireRoot(this.files);
    const top = kindFolder(this.ref.kind);
    await this.makeFolder(top, '.');
    if (this.folder !== top) await this.makeFolder(this.folder, top);
  }

  private async makeFolder(path: string, parent: string): Promise<void> {
    try {
      await this.files.makeFolder(path, this.options.folderMode);
    } catch (error) {
      if (!hasCode(error, 'already_exists')) throw error;
    }
    if (this.options.durable) await this.files.syncFolder(parent);
  }

  private async openPresent(): Promise<ReadableFile | undefined> {
    // Nearly always it isn't, and that is told in less time than it takes to fail.
    if (!(await this.files.isThere(this.path))) return undefined;
    try {
      return await this.files.open(this.path);
    } catch (error) {
      if (hasCode(error, 'not_found')) return undefined;
      throw error;
    }
  }

  /** Another upload was first: compares what it stored with what was written here. */
  private async requireSameAsWritten(): Promise<void> {
    const written = await this.files.open(this.temporary);
    try {
      const chunks = readChunks(written, 0, written.size, this.files.readAhead);
      await this.requireSame(await this.files.open(this.path), chunks);
    } finally {
      await written.close();
    }
  }

  /**
   * Fails with `already_exists` unless the file has just these bytes. Whoever stored them may not have synced them yet, and
   * the caller is about to be told that they are safe.
   */
  private async requireSame(present: ReadableFile, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      if (!(await sameBytes(present, chunks))) {
        throw new StoreError(
          'already_exists',
          `a ${this.ref.kind} with this MAC and other bytes is stored already, and ${this.ref.kind}s are never replaced`,
        );
      }
      if (this.options.durable) await present.sync();
    } finally {
      await present.close();
    }
    await this.syncFolder();
  }

  private async syncFolder(): Promise<void> {
    if (this.options.durable) await this.files.syncFolder(this.folder);
  }
}

async function sameBytes(file: ReadableFile, chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
  let offset = 0;
  for await (const chunk of chunks) {
    const there = Buffer.allocUnsafe(chunk.length);
    const got = await file.read(there, offset, chunk.length);
    if (got < chunk.length || !there.equals(chunk)) return false;
    offset += chunk.length;
  }
  return offset === file.size;
}
