import { hasCode, StoreError } from '../../core/errors.js';
import type { ObjectRef } from '../../core/object.js';
import { durably, lost } from './durably.js';
import type { FileSystem, ReadableFile, WritableFile } from './file-system.js';
import { FileWriter } from './file-writer.js';
import type { FreeSpace } from './free-space.js';
import type { Folders } from './folders.js';
import { kindFolder, objectPath } from './layout.js';
import { readChunks } from './reading.js';
import { temporaryName, type Host } from './temporary.js';

export interface UploadOptions {
  /** Whether files are synced. */
  readonly durable: boolean;
  /** The permissions of new files. */
  readonly fileMode: number;
  readonly folders: Folders;
  /** Keeps a part of the disk free. Locks are small, and backups couldn't end without them: they are not held up. */
  readonly space: FreeSpace;
  readonly host: Host;
  /** Has the temporary files of uploads as long as these are under way. */
  readonly underWay: Set<string>;
}

/** How often an upload tries to get its name, where what has it is gone when it is looked at. */
const maxAttempts = 3;

/** Puts one object into a store of files, so that it is there whole or not at all. */
export class Upload {
  private readonly path: string;
  private readonly temporary: string;

  constructor(
    private readonly files: FileSystem,
    private readonly ref: ObjectRef,
    private readonly options: UploadOptions,
  ) {
    this.path = objectPath(ref);
    this.temporary = `${kindFolder(ref.kind)}/${temporaryName(options.host)}`;
  }

  /** Stores an immutable object. Resolves to whether it is new; false where the same bytes were there. */
  async create(chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
    // What is there already needs no room, and may be put again on a full disk. Nearly always there is nothing, and that is told in less
    // time than it takes to fail.
    const present = (await this.files.isThere(this.path)) ? await this.openPresent() : undefined;
    if (present !== undefined) {
      await durably(this.files, async (again) => {
        // What it was compared with may be gone, and its bytes came once.
        if (again) throw lost();
        await this.requireSame(present, chunks);
      });
      return false;
    }
    return this.withTemporary(this.options.space.guard(chunks), async () => {
      let isNew = false;
      await durably(this.files, async (again) => {
        if (!again || !(await this.files.isThere(this.path))) isNew = (await this.publish()) || isNew;
        await this.options.folders.sync(this.ref);
      });
      return isNew;
    });
  }

  /** Gives what was written its name. Resolves to false where the same bytes have it. */
  private async publish(): Promise<boolean> {
    for (let attempts = 1; !(await this.link()); attempts++) {
      if (await this.isSameAsWritten()) return false;
      if (attempts === maxAttempts) throw this.notReplaced('what has this MAC is no file');
    }
    return true;
  }

  /** Gives what was written its name. Resolves to false where that is somebody's already. */
  private async link(): Promise<boolean> {
    try {
      await this.options.folders.within(this.ref, () => this.files.link(this.temporary, this.path));
      return true;
    } catch (error) {
      if (hasCode(error, 'already_exists')) return false;
      throw error;
    }
  }

  /** Stores an object, replacing the one that is there. */
  async replace(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const rename = (): Promise<void> => this.files.rename(this.temporary, this.path);
    await this.withTemporary(chunks, () =>
      durably(this.files, async (again) => {
        await this.options.folders.within(this.ref, rename).catch(async (error: unknown) => {
          // It was done, and not forgotten.
          const isDone = again && hasCode(error, 'not_found') && (await this.files.isThere(this.path));
          if (!isDone) throw error;
        });
        await this.options.folders.sync(this.ref);
      }),
    );
  }

  /** Runs `publish` once all chunks are in the temporary file; the temporary name is gone afterwards, whatever happens. */
  private async withTemporary<T>(chunks: AsyncIterable<Uint8Array>, publish: () => Promise<T>): Promise<T> {
    this.options.underWay.add(this.temporary);
    let isReached = true;
    try {
      await this.write(chunks);
      return await publish();
    } catch (error) {
      isReached = !hasCode(error, 'unavailable');
      throw error;
    } finally {
      // Where nobody answers, this is waited for as long as that was: the caller is told at once.
      const removed = this.removeTemporary();
      if (isReached) await removed;
    }
  }

  private async removeTemporary(): Promise<void> {
    // Where there is none any more, or removing fails as the rest did, there is nothing to add: the sweep comes by later.
    await this.files.remove(this.temporary).catch(() => undefined);
    this.options.underWay.delete(this.temporary);
  }

  /** The file is made when there is something to write. */
  private async write(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { durable, fileMode } = this.options;
    const create = (): Promise<WritableFile> =>
      this.options.folders.within(this.ref, () => this.files.create(this.temporary, fileMode));
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

  private async openPresent(): Promise<ReadableFile | undefined> {
    try {
      return await this.files.open(this.path);
    } catch (error) {
      if (hasCode(error, 'not_found')) return undefined;
      throw error;
    }
  }

  /**
   * Another upload was first: compares what it stored with what was written here, and fails as requireSame does. Resolves to false where
   * that was deleted meanwhile.
   */
  private async isSameAsWritten(): Promise<boolean> {
    const present = await this.openPresent();
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
   * Fails with `already_exists` unless the file has just these bytes. Whoever stored them may not have synced them yet, and
   * the caller is about to be told that they are safe.
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
