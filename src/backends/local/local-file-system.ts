import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { ifPresent, StoreError } from '../../core/errors.js';
import { inBatches } from '../../lib/in-batches.js';
import { batchSize, inTurns } from '../files/entry-batches.js';
import type {
  DirectoryEntry,
  FileStat,
  FileSystem,
  FileType,
  ReadableFile,
  WritableFile,
} from '../files/file-system.js';
import { fromErrno, isMissing, isNotEmpty, isUnsupportedLink, rethrow } from './errno.js';
import { FolderVersions } from './folder-versions.js';
import { fileId, LocalReadableFile } from './local-readable-file.js';
import { LocalWritableFile } from './local-writable-file.js';
import { SyncIoGovernor } from './sync-io-governor.js';

/** O_NONBLOCK, because opening a pipe that someone put into the store would block forever. */
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY;

const noHardLinks =
  "the file system under the store has no hard links, without which the gateway can't promise never to overwrite: " +
  'the store can be read where it is, and written only on another file system';

const changed = 'a folder of the store was changed while it was listed: try again later';

/** A folder of this machine, as a FileSystem. */
export class LocalFileSystem implements FileSystem {
  /** The number of threads in Node's pool. */
  readonly listConcurrency = 4;
  /** Half of what a process may have open by default (1024). */
  readonly maxOpenFiles = 512;

  private readonly governor = new SyncIoGovernor();

  /** @param root the folder's absolute path */
  constructor(
    private readonly root: string,
    private readonly versions = new FolderVersions(),
  ) {}

  /**
   * One transfer alone reads its next chunk while the last one is sent. Among others there is always something to do, and fewer bytes in
   * memory stay in the processor's cache for longer. Measured for 1 MiB, eight at once: a tenth less time.
   */
  readAhead(others: number): number {
    return others === 0 ? 2 : 1;
  }

  async open(path: string): Promise<ReadableFile> {
    const handle = await fs.open(this.at(path), readFlags).catch(rethrow);
    try {
      const stat = await handle.stat().catch(rethrow);
      if (!stat.isFile()) throw new StoreError('not_found', 'not a file');
      const isLocal = await this.versions.isLocalDisk(BigInt(stat.dev), this.at(path)).catch(rethrow);
      return new LocalReadableFile(handle, stat, isLocal ? this.governor : undefined);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  create(path: string, mode: number): Promise<WritableFile> {
    return LocalWritableFile.create(this.at(path), mode);
  }

  async stat(path: string): Promise<FileStat> {
    const stat = await fs.lstat(this.at(path)).catch(rethrow);
    const { size, mtimeMs: modifiedMs, mode } = stat;
    return { type: typeOf(stat), size, modifiedMs, mode: mode & 0o7777, id: fileId(stat) };
  }

  async exists(path: string): Promise<boolean> {
    try {
      await fs.lstat(this.at(path));
      return true;
    } catch (error) {
      // No StoreError: this is the usual answer before an upload.
      if (isMissing(error)) return false;
      throw fromErrno(error);
    }
  }

  async link(from: string, to: string): Promise<void> {
    try {
      await fs.link(this.at(from), this.at(to));
    } catch (cause) {
      throw isUnsupportedLink(cause) ? new StoreError('unimplemented', noHardLinks, { cause }) : fromErrno(cause);
    }
  }

  rename(from: string, to: string): Promise<void> {
    return fs.rename(this.at(from), this.at(to)).catch(rethrow);
  }

  setModified(path: string, ms: number): Promise<void> {
    return fs.lutimes(this.at(path), ms / 1000, ms / 1000).catch(rethrow);
  }

  remove(path: string): Promise<void> {
    return fs.unlink(this.at(path)).catch(rethrow);
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    try {
      const entries = await fs.readdir(this.at(path), { withFileTypes: true });
      return entries.map((entry) => ({ name: entry.name, type: typeOf(entry) }));
    } catch (error) {
      if (!isMissing(error)) throw fromErrno(error);
    }
    // Where the file system doesn't tell the types of names, Node looks at each, and fails as a whole when one has gone meanwhile.
    const names = await fs.readdir(this.at(path)).catch(rethrow);
    const entries: DirectoryEntry[] = [];
    for (const name of names) {
      const stat = await ifPresent(this.stat(`${path}/${name}`));
      if (stat !== undefined) entries.push({ name, type: stat.type });
    }
    return entries;
  }

  async *batches(path: string): AsyncGenerator<readonly DirectoryEntry[], void, undefined> {
    // Where the file system doesn't tell the types of names, which those of this machine do, Node looks at each and blocks the process.
    const { dev } = await fs.stat(this.at(path), { bigint: true }).catch(rethrow);
    const tellsTypes = await this.versions.isLocalDisk(dev, this.at(path)).catch(rethrow);
    if (!tellsTypes) return yield* inTurns(() => this.list(path));
    const folder = await fs.opendir(this.at(path), { bufferSize: batchSize }).catch(rethrow);
    try {
      for await (const entries of inBatches(folder, batchSize)) {
        yield entries.map((entry) => ({ name: entry.name, type: typeOf(entry) }));
      }
    } catch (error) {
      // Never `not_found`, which would mean that nothing is there.
      if (isMissing(error)) throw new StoreError('unavailable', changed, { cause: error });
      throw fromErrno(error);
    }
  }

  folderVersion(path: string): Promise<string | undefined> {
    return this.versions.of(this.at(path)).catch(rethrow);
  }

  async makeFolder(path: string, mode: number): Promise<void> {
    const at = this.at(path);
    await fs.mkdir(at, mode).catch(rethrow);
    // The umask may have removed something.
    await fs.chmod(at, mode).catch(rethrow);
    await this.shareOwner(at).catch(rethrow);
  }

  async removeFolder(path: string): Promise<boolean> {
    try {
      await fs.rmdir(this.at(path));
      return true;
    } catch (error) {
      if (isMissing(error)) return true;
      if (isNotEmpty(error)) return false;
      throw fromErrno(error);
    }
  }

  async syncFolder(path: string): Promise<void> {
    const folder = await fs.open(this.at(path), folderFlags).catch(rethrow);
    try {
      await folder.sync().catch(rethrow);
    } finally {
      await folder.close();
    }
  }

  async freeBytes(path: string): Promise<number | undefined> {
    const { blocks, bavail, bsize } = await fs.statfs(this.at(path)).catch(rethrow);
    // Some FUSE file systems don't implement statfs, and report no blocks at all.
    return blocks === 0 ? undefined : bavail * bsize;
  }

  async close(): Promise<void> {
    // Nothing stays open between operations.
  }

  /** What root makes in a folder of the gateway's user is that user's, too, who couldn't use it otherwise. */
  private async shareOwner(at: string): Promise<void> {
    if ((await fs.lstat(at)).uid !== 0) return;
    const { uid, gid } = await fs.stat(dirname(at));
    // Not chown, as someone else may have put a link there. Some file systems know no owners.
    if (uid !== 0) await fs.lchown(at, uid, gid).catch(() => undefined);
  }

  /** Not path.join, which takes as long as some system calls: these paths are normalized. */
  private at(path: string): string {
    return `${this.root}/${path}`;
  }
}

function typeOf(entry: { isFile(): boolean; isDirectory(): boolean }): FileType {
  if (entry.isFile()) return 'file';
  return entry.isDirectory() ? 'folder' : 'other';
}
