import { closeSync, constants, linkSync, lstatSync, openSync, renameSync, unlinkSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { hasCode, StoreError } from '../../core/errors.js';
import type {
  DirectoryEntry,
  FileStat,
  FileSystem,
  FileType,
  ReadableFile,
  WritableFile,
} from '../files/file-system.js';
import { AdaptiveReader } from './adaptive-read.js';
import { close, fsync, open } from './descriptors.js';
import { fromErrno, isUnsupportedLink, rethrow } from './errno.js';
import { FolderVersions } from './folder-versions.js';
import { LocalReadableFile } from './local-readable-file.js';
import { LocalWritableFile } from './local-writable-file.js';
import { ShortCalls } from './short-calls.js';

/** Without O_NONBLOCK, opening a pipe that someone put into the store would wait for ever. */
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY;

const noLinks =
  "the file system under the store has no hard links, without which the gateway can't promise never to overwrite: " +
  'the store can be read where it is, and written only on another file system';

/** A folder of this machine, as a FileSystem. */
export class LocalFileSystem implements FileSystem {
  /** As many as Node has threads for it. */
  readonly listAhead = 4;
  /** Half of what a process may have open by default (1024). */
  readonly openFiles = 512;

  private readonly reader = new AdaptiveReader();
  private readonly calls = new ShortCalls();
  private readonly modes = new Set<number>();

  /** @param root the folder's absolute path */
  constructor(
    private readonly root: string,
    private readonly versions = new FolderVersions(),
  ) {}

  /**
   * Alone, the next chunk is read while the last one is sent. Among others there is always something to do, and what has just been read is
   * sooner out of the core's cache the more there is of it. Measured for 1 MiB, eight at once: a tenth less time.
   */
  readAhead(others: number): number {
    return others === 0 ? 2 : 1;
  }

  async open(path: string): Promise<ReadableFile> {
    const handle = await this.run(fs.open(this.at(path), readFlags));
    try {
      const stat = await this.run(handle.stat());
      if (!stat.isFile()) throw new StoreError('not_found', 'not a file');
      return new LocalReadableFile(handle, stat, this.reader);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  create(path: string, mode: number): Promise<WritableFile> {
    return LocalWritableFile.create(this.at(path), mode, this.calls, this.modes);
  }

  async stat(path: string): Promise<FileStat> {
    const at = this.at(path);
    const stat = await this.calls.run(
      () => lstatSync(at),
      () => fs.lstat(at),
    );
    return { type: typeOf(stat), size: stat.size, modifiedMs: stat.mtimeMs, mode: stat.mode & 0o7777 };
  }

  isThere(path: string): Promise<boolean> {
    const at = this.at(path);
    const options = { throwIfNoEntry: false } as const;
    return this.calls.run(
      () => lstatSync(at, options) !== undefined,
      () =>
        fs.lstat(at).then(
          () => true,
          (error: unknown) => {
            if (hasCode(fromErrno(error), 'not_found')) return false;
            throw error;
          },
        ),
    );
  }

  link(from: string, to: string): Promise<void> {
    const names = [this.at(from), this.at(to)] as const;
    return this.calls.run(
      () => linkSync(...names),
      () => fs.link(...names),
      (error) =>
        isUnsupportedLink(error) ? new StoreError('unimplemented', noLinks, { cause: error }) : fromErrno(error),
    );
  }

  rename(from: string, to: string): Promise<void> {
    const names = [this.at(from), this.at(to)] as const;
    return this.calls.run(
      () => renameSync(...names),
      () => fs.rename(...names),
    );
  }

  remove(path: string): Promise<void> {
    const at = this.at(path);
    return this.calls.run(
      () => unlinkSync(at),
      () => fs.unlink(at),
    );
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    const entries = await this.run(fs.readdir(this.at(path), { withFileTypes: true }));
    return entries.map((entry) => ({ name: entry.name, type: typeOf(entry) }));
  }

  folderVersion(path: string): Promise<string | undefined> {
    return this.run(this.versions.of(this.at(path)));
  }

  async makeFolder(path: string, mode: number): Promise<void> {
    await this.run(fs.mkdir(this.at(path), mode));
    await this.run(fs.chmod(this.at(path), mode));
  }

  async syncFolder(path: string): Promise<void> {
    const at = this.at(path);
    const fd = await this.calls.run(
      () => openSync(at, folderFlags),
      () => open(at, folderFlags),
    );
    try {
      await this.run(fsync(fd));
    } finally {
      await this.calls.run(
        () => closeSync(fd),
        () => close(fd),
      );
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

  /** Not by path.join, which takes as long as a small call: these need no putting in order. */
  private at(path: string): string {
    return `${this.root}/${path}`;
  }

  private run<T>(work: Promise<T>): Promise<T> {
    return work.catch(rethrow);
  }
}

function typeOf(entry: { isFile(): boolean; isDirectory(): boolean }): FileType {
  if (entry.isFile()) return 'file';
  return entry.isDirectory() ? 'folder' : 'other';
}
