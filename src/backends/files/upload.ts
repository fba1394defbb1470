import { hasCode, ifPresent, StoreError } from '../../core/errors.js';
import type { ObjectKind, ObjectRef } from '../../core/object.js';
import type { FileStoreOptions } from './file-store.js';
import type { FileSystem, ReadableFile, WritableFile } from './file-system.js';
import { writeFile } from './file-writer.js';
import { lostWrite, type Folders } from './folders.js';
import type { FreeSpace } from './free-space.js';
import { kindFolder, objectFolder, objectPath, temporaryPath } from './layout.js';
import { isOtherDisk } from './other-disk.js';
import { readChunks, readCopies } from './reading.js';

export interface UploadOptions extends Pick<FileStoreOptions, 'durable' | 'host'> {
  /** The permissions of new files. */
  readonly fileMode: number;
  readonly folders: Folders;
  /** Locks are exempt: they are small, and a backup can't end without them. */
  readonly space: Readonly<Record<ObjectKind, FreeSpace>>;
  /** The temporary files of all uploads in progress. */
  readonly active: Set<string>;
}

/** How often an upload tries to get its name when the object that has it disappears each time. */
const maxAttempts = 3;

/** Puts one object into a store of files, whole or not at all. */
export class Upload {
  private readonly path: string;
  private temporary: string;

  constructor(
    private readonly files: FileSystem,
    private readonly ref: ObjectRef,
    private readonly options: UploadOptions,
  ) {
    this.path = objectPath(ref);
    this.temporary = this.newTemporary(kindFolder(ref.kind));
  }

  /** Stores an immutable object. Resolves to whether it is new; false if the same bytes were there. */
  async create(chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
    // An object that is there needs no room, so it can be put again on a full disk. Usually there is none, which `exists` tells faster
    // than a failing `open`.
    const present = (await this.files.exists(this.path)) ? await ifPresent(this.files.open(this.path)) : undefined;
    if (present !== undefined) {
      await this.options.folders.durably(async (again) => {
        // The object may be gone, and the upload can't be read a second time.
        if (again) throw lostWrite();
        await this.requireSame(present, chunks);
      });
      return false;
    }
    return this.withTemporary(this.options.space[this.ref.kind].guard(chunks), async () => {
      let isNew = false;
      await this.options.folders.durably(async (again) => {
        if (!again || !(await this.files.exists(this.path))) isNew = (await this.publish()) || isNew;
        await this.options.folders.sync(this.ref);
      });
      return isNew;
    });
  }

  /**
   * Stores an object, replacing the one that is there.
   *
   * @param how.modifiedMs when it is to have been written last, in milliseconds since 1970-01-01 UTC. Default: now
   * @param how.prepare is called when the file is complete, before it gets the object's name
   */
  async replace(
    chunks: AsyncIterable<Uint8Array>,
    { modifiedMs, prepare }: { readonly modifiedMs?: number; readonly prepare?: () => Promise<void> } = {},
  ): Promise<void> {
    const rename = async (): Promise<void> => {
      if (modifiedMs !== undefined) await this.files.setModified(this.temporary, modifiedMs);
      await this.files.rename(this.temporary, this.path);
    };
    await this.withTemporary(chunks, async () => {
      await prepare?.();
      await this.options.folders.durably(async (again) => {
        await this.onAnyDisk(rename).catch(async (error: unknown) => {
          const isDone = again && hasCode(error, 'not_found') && (await this.files.exists(this.path));
          if (!isDone) throw error;
        });
        await this.options.folders.sync(this.ref);
      });
    });
  }

  /** Links the temporary file to the object's name. Resolves to false if an object with the same bytes has it. */
  private async publish(): Promise<boolean> {
    for (let attempts = 1; !(await this.link()); attempts++) {
      if (await this.isSameAsWritten()) return false;
      if (attempts === maxAttempts) throw this.notReplaced('something that is not a file has this MAC as its name');
    }
    return true;
  }

  /** Resolves to false if the name is taken. */
  private async link(): Promise<boolean> {
    try {
      await this.onAnyDisk(() => this.files.link(this.temporary, this.path));
      return true;
    } catch (error) {
      if (hasCode(error, 'already_exists')) return false;
      throw error;
    }
  }

  /** Gives the temporary file the object's name; if the object's folder is on another disk, from there. */
  private async onAnyDisk(name: () => Promise<void>): Promise<void> {
    const { folders } = this.options;
    await folders.within(this.ref, name).catch(async (error: unknown) => {
      if (!(await isOtherDisk(this.files, this.ref, error))) throw error;
      await this.copyBesideObject();
      await folders.within(this.ref, name);
    });
  }

  /** Writes all chunks to the temporary file, then runs `publish`. The temporary name is removed in every outcome. */
  private async withTemporary<T>(chunks: AsyncIterable<Uint8Array>, publish: () => Promise<T>): Promise<T> {
    this.options.active.add(this.temporary);
    let isReachable = true;
    try {
      await this.write(chunks);
      return await publish();
    } catch (error) {
      isReachable = !hasCode(error, 'unavailable');
      throw error;
    } finally {
      const removed = this.removeTemporary();
      // An unreachable server would delay the error by as long again.
      if (isReachable) await removed;
    }
  }

  private async removeTemporary(): Promise<void> {
    // If this fails, the sweep removes it later.
    await this.files.remove(this.temporary).catch(() => undefined);
    this.options.active.delete(this.temporary);
  }

  /** Copies the temporary file to the object's folder, which is on another disk. */
  private async copyBesideObject(): Promise<void> {
    const first = this.temporary;
    const written = await this.files.open(first);
    this.temporary = this.newTemporary(objectFolder(this.ref));
    this.options.active.add(this.temporary);
    try {
      await this.write(readCopies(written, this.files.readAhead(0)));
    } finally {
      await written.close();
      await this.files.remove(first).catch(() => undefined);
      this.options.active.delete(first);
    }
  }

  private newTemporary(folder: string): string {
    const { name, pid } = this.options.host;
    return temporaryPath(folder, { host: name, pid });
  }

  private async write(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { durable, fileMode } = this.options;
    const create = (): Promise<WritableFile> =>
      this.options.folders.within(this.ref, () => this.files.create(this.temporary, fileMode));
    await writeFile(create, chunks, durable);
  }

  /**
   * Compares the object of a concurrent upload that came first with what was written here; fails as requireSame does. Resolves to false
   * if that object was deleted meanwhile.
   */
  private async isSameAsWritten(): Promise<boolean> {
    const present = await ifPresent(this.files.open(this.path));
    if (present === undefined) return false;
    const written = await this.files.open(this.temporary);
    try {
      await this.requireSame(present, readChunks(written, 0, written.size, this.files.readAhead(0)));
      return true;
    } finally {
      await written.close();
    }
  }

  /**
   * Fails with `already_exists` unless the file has exactly these bytes. Syncs them, since the upload that stored them may not have done
   * so yet. Closes the file.
   */
  private async requireSame(present: ReadableFile, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      if (!(await sameBytes(present, chunks))) {
        throw this.notReplaced(`a ${this.ref.kind} with this MAC and other bytes is stored already`);
      }
      if (this.options.durable) await present.sync();
    } finally {
      await present.close();
    }
    await this.options.folders.sync(this.ref);
  }

  private notReplaced(why: string): StoreError {
    return new StoreError('already_exists', `${why}, and ${this.ref.kind}s are never replaced`);
  }
}

/** Whether a file has exactly these bytes. */
export async function sameBytes(file: ReadableFile, chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
  let offset = 0;
  for await (const chunk of chunks) {
    const stored = Buffer.allocUnsafe(chunk.length);
    const got = await file.read(stored, offset, chunk.length);
    if (got < chunk.length || !stored.equals(chunk)) return false;
    offset += chunk.length;
  }
  return offset === file.size;
}
