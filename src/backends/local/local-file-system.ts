import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../../core/errors.js';
import type {
  DirectoryEntry,
  FileStat,
  FileSystem,
  FileType,
  ReadableFile,
  WritableFile,
} from '../files/file-system.js';
import { AdaptiveReader } from './adaptive-read.js';
import { fromErrno, isUnsupportedLink } from './errno.js';
import { FolderVersions } from './folder-versions.js';

/** Without O_NONBLOCK, opening a pipe that someone put into the store would wait for ever. */
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const noLinks =
  "the file system under the store has no hard links, without which the gateway can't promise never to overwrite: " +
  'the store can be read where it is, and written only on another file system';

/** A folder of this machine, as a FileSystem. */
export class LocalFileSystem implements FileSystem {
  /** Measured: more reads at once gain nothing on a local disk, and cost memory. */
  readonly readAhead = 2;
  /** As many as Node has threads for it. */
  readonly listAhead = 4;
  /** Half of what a process may have open by default (1024). */
  readonly openFiles = 512;

  private readonly reader = new AdaptiveReader();

  /** @param root the folder's absolute path */
  constructor(
    private readonly root: string,
    private readonly versions = new FolderVersions(),
  ) {}

  async open(path: string): Promise<ReadableFile> {
    const handle = await this.run(fs.open(join(this.root, path), readFlags));
    try {
      const stat = await this.run(handle.stat());
      if (!stat.isFile()) throw new StoreError('not_found', 'not a file');
      return new LocalReadableFile(handle, stat, this.reader);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async create(path: string, mode: number): Promise<WritableFile> {
    const handle = await this.run(fs.open(join(this.root, path), 'wx', mode));
    try {
      // The process's umask may have taken away what the store's other files have.
      await this.run(handle.chmod(mode));
      return new LocalWritableFile(handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async stat(path: string): Promise<FileStat> {
    const stat = await this.run(fs.lstat(join(this.root, path)));
    return { type: typeOf(stat), size: stat.size, modifiedMs: stat.mtimeMs, mode: stat.mode & 0o7777 };
  }

  link(from: string, to: string): Promise<void> {
    return fs.link(join(this.root, from), join(this.root, to)).catch((error: unknown) => {
      throw isUnsupportedLink(error) ? new StoreError('unimplemented', noLinks, { cause: error }) : fromErrno(error);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.run(fs.rename(join(this.root, from), join(this.root, to)));
  }

  remove(path: string): Promise<void> {
    return this.run(fs.unlink(join(this.root, path)));
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    const entries = await this.run(fs.readdir(join(this.root, path), { withFileTypes: true }));
    return entries.map((entry) => ({ name: entry.name, type: typeOf(entry) }));
  }

  folderVersion(path: string): Promise<string | undefined> {
    return this.run(this.versions.of(join(this.root, path)));
  }

  async makeFolder(path: string, mode: number): Promise<void> {
    await this.run(fs.mkdir(join(this.root, path), mode));
    await this.run(fs.chmod(join(this.root, path), mode));
  }

  async syncFolder(path: string): Promise<void> {
    const handle = await this.run(fs.open(join(this.root, path), constants.O_RDONLY | constants.O_DIRECTORY));
    try {
      await this.run(handle.sync());
    } finally {
      await handle.close();
    }
  }

  async freeBytes(): Promise<number | undefined> {
    const { blocks, bavail, bsize } = await this.run(fs.statfs(this.root));
    // Some file systems don't say, and have no blocks at all: FUSE's, for instance, where they leave it out.
    return blocks === 0 ? undefined : bavail * bsize;
  }

  async close(): Promise<void> {
    // Nothing is kept open between operations.
  }

  private run<T>(work: Promise<T>): Promise<T> {
    return work.catch(rethrow);
  }
}

class LocalReadableFile implements ReadableFile {
  readonly size: number;
  readonly modifiedMs: number;

  constructor(
    private readonly handle: fs.FileHandle,
    stat: { readonly size: number; readonly mtimeMs: number },
    private readonly reader: AdaptiveReader,
  ) {
    this.size = stat.size;
    this.modifiedMs = stat.mtimeMs;
  }

  async read(target: Uint8Array, offset: number, length: number): Promise<number> {
    let done = 0;
    try {
      while (done < length) {
        const got = await this.reader.read(this.handle, target, done, length - done, offset + done);
        if (got === 0) break;
        done += got;
      }
    } catch (error) {
      rethrow(error);
    }
    return done;
  }

  readNow(target: Uint8Array, offset: number, length: number): number | undefined {
    return this.reader.readNow(this.handle, target, length, offset);
  }

  sync(): Promise<void> {
    return this.handle.sync().catch(rethrow);
  }

  async close(): Promise<void> {
    // Nothing was written through this handle that closing could lose.
    await this.handle.close().catch(() => undefined);
  }
}

class LocalWritableFile implements WritableFile {
  constructor(private readonly handle: fs.FileHandle) {}

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    let rest = [...chunks];
    while (rest.length > 0) {
      const { bytesWritten } = await this.handle.writev(rest).catch(rethrow);
      rest = after(rest, bytesWritten);
    }
  }

  sync(): Promise<void> {
    return this.handle.sync().catch(rethrow);
  }

  close(): Promise<void> {
    return this.handle.close().catch(rethrow);
  }
}

/** What is left of `chunks` when the first `taken` bytes are gone: a nearly full disk takes a part. */
function after(chunks: readonly Uint8Array[], taken: number): Uint8Array[] {
  let index = 0;
  let skip = taken;
  for (const chunk of chunks) {
    if (skip < chunk.length) break;
    skip -= chunk.length;
    index++;
  }
  const [partial, ...whole] = chunks.slice(index);
  return partial === undefined ? [] : [partial.subarray(skip), ...whole];
}

function typeOf(entry: { isFile(): boolean; isDirectory(): boolean }): FileType {
  if (entry.isFile()) return 'file';
  return entry.isDirectory() ? 'folder' : 'other';
}

function rethrow(error: unknown): never {
  throw fromErrno(error);
}
