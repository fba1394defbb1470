import { posix } from 'node:path';
import { hasCode, StoreError } from '../../core/errors.js';
import { Semaphore } from '../../lib/semaphore.js';
import {
  OtherDisk,
  type DirectoryEntry,
  type FileStat,
  type FileSystem,
  type ReadableFile,
  type WritableFile,
} from '../files/file-system.js';
import { inTurns } from '../files/entry-batches.js';
import { isImmutable } from '../files/layout.js';
import type { SftpCapabilities } from './capabilities.js';
import { windowBytes } from './pending-writes.js';
import type { Pool } from './pool.js';
import { RemoteFile } from './remote-file.js';
import { RemoteUpload } from './remote-upload.js';
import { exists, hardlink, listFolder, lstat, plainRename, removeFile, syncFolder } from './requests.js';
import type { Session } from './session.js';
import { explainRefusal, freeBytes } from './space.js';
import { hasStatus, nameTaken, status } from './status.js';

export interface SftpFileSystemOptions extends Pick<FileSystem, 'listConcurrency' | 'maxOpenFiles'> {
  /** The store's folder on the server. */
  readonly root: string;
  /** How long lost connections are retried, and how long a sync may take, in milliseconds. */
  readonly giveUpMs: number;
}

/** How often a link is tried that the server refuses without a reason. */
const maxLinkAttempts = 10;

const cannotCreate =
  "the store's SFTP server has no way to make a name that never replaces another, without which the gateway can't promise " +
  'never to overwrite: the store is read-only';
const cannotReplace =
  "the store's SFTP server can't replace a file atomically (posix-rename@openssh.com): the store is read-only";

/**
 * A folder of an SFTP server, as a FileSystem. Every operation survives the loss of its connection: it is repeated on another one, for
 * `giveUpMs`. If the answer to the first attempt was lost, the repeated one looks at what is there:
 *
 * - `remove` succeeds if the name is gone, `rename` if the file has moved.
 * - `link` may fail with `already_exists` because of the name that it created itself: the caller has to compare what is there, as after
 *   any such failure.
 */
export class SftpFileSystem implements FileSystem {
  readonly listConcurrency: number;
  readonly maxOpenFiles: number;
  private readonly window = new Semaphore(windowBytes(0));

  constructor(
    private readonly pool: Pool,
    readonly capabilities: SftpCapabilities,
    private readonly options: SftpFileSystemOptions,
  ) {
    this.listConcurrency = options.listConcurrency;
    this.maxOpenFiles = options.maxOpenFiles;
  }

  get connectionCount(): number {
    return this.pool.connectionCount;
  }

  get linkMoves(): boolean {
    return this.capabilities.createWith === 'rename';
  }

  readAhead(): number {
    // What four connections transfer in one round trip. Measured with 30 ms: more gains nothing.
    return 6;
  }

  open(path: string): Promise<ReadableFile> {
    return RemoteFile.open(this.pool, this.at(path), isImmutable(path), this.options.giveUpMs);
  }

  create(path: string, mode: number): Promise<WritableFile> {
    const { root, giveUpMs } = this.options;
    return RemoteUpload.create(this.pool, { path: this.at(path), mode, root, giveUpMs, window: this.window });
  }

  stat(path: string): Promise<FileStat> {
    return this.pool.run((session) => lstat(session, this.at(path)));
  }

  exists(path: string): Promise<boolean> {
    return this.pool.run((session) => exists(session, this.at(path)));
  }

  /** If the server has no hard links, `from` is gone afterwards. */
  async link(from: string, to: string): Promise<void> {
    const { createWith } = this.capabilities;
    if (createWith === 'none') throw new StoreError('unimplemented', cannotCreate);
    await this.pool.run(async (session, again) => {
      try {
        if (createWith === 'rename') await plainRename(session, this.at(from), this.at(to));
        else if (session.features.hardlink) await this.hardlink(session, from, to);
        else throw new StoreError('unimplemented', cannotCreate);
      } catch (error) {
        const moved = again && createWith === 'rename' && hasStatus(error, status.noSuchFile);
        if (!moved || !(await this.hasMoved(session, from, to))) throw await this.whyNotLinked(session, to, error);
      }
    });
  }

  async rename(from: string, to: string): Promise<void> {
    if (!this.capabilities.replaces) throw new StoreError('unimplemented', cannotReplace);
    await this.pool.run(async (session, again) => {
      if (!session.features.posixRename) throw new StoreError('unimplemented', cannotReplace);
      try {
        // posix-rename@openssh.com: replaces atomically.
        await session.send((sftp, done) => sftp.ext_openssh_rename(this.at(from), this.at(to), done));
      } catch (error) {
        const moved = again && hasStatus(error, status.noSuchFile) && (await this.hasMoved(session, from, to));
        if (!moved) throw await explainRefusal(session, this.options.root, error);
      }
    });
  }

  async setModified(path: string, ms: number): Promise<void> {
    const seconds = Math.floor(ms / 1000);
    await this.pool.run((session) => session.send((sftp, done) => sftp.utimes(this.at(path), seconds, seconds, done)));
  }

  async remove(path: string): Promise<void> {
    await this.pool.run(async (session, again) => {
      try {
        await removeFile(session, this.at(path));
      } catch (error) {
        if (!again || !hasStatus(error, status.noSuchFile)) throw error;
      }
    });
  }

  list(path: string): Promise<DirectoryEntry[]> {
    return this.pool.run((session) => listFolder(session, this.at(path)));
  }

  batches(path: string): AsyncIterable<readonly DirectoryEntry[]> {
    return inTurns(() => this.list(path));
  }

  /**
   * SFTP can't tell: its modification times have a resolution of one second, and programs like rsync set them back after a change; and
   * nothing identifies a folder.
   */
  folderVersion(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async makeFolder(path: string, mode: number): Promise<void> {
    await this.pool.run(async (session, again) => {
      try {
        await session.send((sftp, done) => sftp.mkdir(this.at(path), { mode }, done));
      } catch (error) {
        const why = await this.whyNotMade(session, path, error);
        // Most likely the folder that an earlier attempt created, whose answer was lost.
        const isMade =
          again && hasCode(why, 'already_exists') && (await lstat(session, this.at(path))).type === 'folder';
        if (!isMade) throw why;
      }
      // The umask may have removed something. A failure leaves fewer permissions, which is safe.
      await session.send((sftp, done) => sftp.chmod(this.at(path), mode, done)).catch(() => undefined);
    });
  }

  /** Servers answer `Failure` for a folder with something in it. */
  async removeFolder(path: string): Promise<boolean> {
    return this.pool.run(async (session) => {
      try {
        await session.send((sftp, done) => sftp.rmdir(this.at(path), done));
        return true;
      } catch (error) {
        if (hasStatus(error, status.noSuchFile)) return true;
        if (hasStatus(error, status.failure)) return false;
        throw error;
      }
    });
  }

  /**
   * With servers that can't sync a folder (`capabilities.syncsFolders`) it does nothing: names are then safe once the server's system has
   * written them, usually within seconds.
   */
  async syncFolder(path: string): Promise<void> {
    if (!this.capabilities.syncsFolders) return;
    await this.pool.run((session) => syncFolder(session, this.at(path), this.options.giveUpMs));
  }

  freeBytes(path: string): Promise<number | undefined> {
    return this.pool.run((session) => freeBytes(session, this.at(path)));
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  /** Retries where the server answers `Failure` though the name is free: the file that had it may have been deleted since. */
  private async hardlink(session: Session, from: string, to: string): Promise<void> {
    for (let attempts = 1; ; attempts++) {
      try {
        return await hardlink(session, this.at(from), this.at(to));
      } catch (error) {
        if (attempts === maxLinkAttempts || !hasStatus(error, status.failure)) throw error;
        if (await exists(session, this.at(to))) throw nameTaken(error);
      }
    }
  }

  private async hasMoved(session: Session, from: string, to: string): Promise<boolean> {
    return !(await exists(session, this.at(from))) && (await exists(session, this.at(to)));
  }

  /** Servers answer `Failure` for another disk, too: a link is taken for one that leads there. */
  private async whyNotLinked(session: Session, to: string, error: unknown): Promise<unknown> {
    const why = await this.whyNotMade(session, to, error);
    if (why !== error || !hasStatus(error, status.failure)) return why;
    const folder = await lstat(session, this.at(posix.dirname(to)));
    return folder.type === 'other' ? new OtherDisk(error) : error;
  }

  /** Servers answer `Failure` for a name that is taken. */
  private async whyNotMade(session: Session, path: string, error: unknown): Promise<unknown> {
    if (hasStatus(error, status.failure) && (await exists(session, this.at(path)))) return nameTaken(error);
    return explainRefusal(session, this.options.root, error);
  }

  private at(path: string): string {
    if (path === '.') return this.options.root;
    return this.options.root === '/' ? `/${path}` : `${this.options.root}/${path}`;
  }
}
