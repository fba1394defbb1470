import { hasCode, StoreError } from '../../core/errors.js';
import type { DirectoryEntry, FileStat, FileSystem, ReadableFile, WritableFile } from '../files/file-system.js';
import type { SftpCapabilities } from './capabilities.js';
import type { Pool } from './pool.js';
import { RemoteFile } from './remote-file.js';
import { RemoteUpload } from './remote-upload.js';
import {
  closeFile,
  fsync,
  hardlink,
  isThere,
  listFolder,
  lstat,
  makeFolder,
  openFile,
  openFlags,
  plainRename,
  posixRename,
  removeFile,
  setMode,
} from './requests.js';
import type { Session } from './session.js';
import { explainRefusal, freeBytes } from './space.js';
import { hasStatus, nameTaken, status } from './status.js';
import type { Traffic } from './under-way.js';

export interface SftpFileSystemOptions {
  /** The store's folder on the server. */
  readonly root: string;
  /** How many packfiles are kept open at most. */
  readonly openFiles: number;
  /** How many folders are listed at once. */
  readonly listAhead: number;
  /** How long a sync may take, and lost connections are tried to be had again, in milliseconds. */
  readonly giveUpMs: number;
}

/** Objects that are written once, by the layout of stores. Their temporary files are not in a bucket. */
const immutablePath = /^(?:packfiles|states)\/[^/]+\//;

/** How often a link is tried that the server refuses without a reason. */
const maxLinkAttempts = 10;

const cannotCreate =
  "the store's SFTP server has no way to make a name that never replaces another, without which the gateway can't promise " +
  'never to overwrite: the store is read-only';
const cannotReplace =
  "the store's SFTP server can't replace a file atomically (posix-rename@openssh.com): the store is read-only";

/**
 * A folder of an SFTP server, as a FileSystem. Every operation outlives the loss of its connection: it is done again on
 * another one, until `giveUpMs` have passed. Whether one whose answer was lost was done is found out by looking:
 *
 * - `remove` then takes a name that is gone for removed, `rename` one that has moved for renamed.
 * - `link` may then fail with `already_exists` for the name that it made itself: compare what is there, as after any such
 *   failure.
 */
export class SftpFileSystem implements FileSystem {
  readonly listAhead: number;
  readonly openFiles: number;
  private readonly uploading: Traffic = { bytes: 0 };

  constructor(
    private readonly pool: Pool,
    readonly capabilities: SftpCapabilities,
    private readonly options: SftpFileSystemOptions,
  ) {
    this.listAhead = options.listAhead;
    this.openFiles = options.openFiles;
  }

  get connects(): number {
    return this.pool.connects;
  }

  readAhead(): number {
    // Measured with a round trip of 30 ms: what four connections carry in one, and more gains nothing.
    return 6;
  }

  open(path: string): Promise<ReadableFile> {
    return RemoteFile.open(this.pool, this.at(path), immutablePath.test(path), this.options.giveUpMs);
  }

  create(path: string, mode: number): Promise<WritableFile> {
    const { root, giveUpMs } = this.options;
    return RemoteUpload.create(this.pool, { path: this.at(path), mode, root, giveUpMs, traffic: this.uploading });
  }

  stat(path: string): Promise<FileStat> {
    return this.pool.run((session) => lstat(session, this.at(path)));
  }

  isThere(path: string): Promise<boolean> {
    return this.pool.run((session) => isThere(session, this.at(path)));
  }

  /** Where the server has no hard links, `from` is gone afterwards. */
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
        if (!moved || !(await this.hasMoved(session, from, to))) throw await this.whyNotMade(session, to, error);
      }
    });
  }

  async rename(from: string, to: string): Promise<void> {
    if (!this.capabilities.replaces) throw new StoreError('unimplemented', cannotReplace);
    await this.pool.run(async (session, again) => {
      if (!session.features.posixRename) throw new StoreError('unimplemented', cannotReplace);
      try {
        await posixRename(session, this.at(from), this.at(to));
      } catch (error) {
        const moved = again && hasStatus(error, status.noSuchFile) && (await this.hasMoved(session, from, to));
        if (!moved) throw await explainRefusal(session, this.options.root, error);
      }
    });
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

  /**
   * SFTP can't tell: it has modification times, of a second's resolution and by the server's clock, which programs like rsync
   * set back after a change, and nothing that says whether it is the same folder at all.
   */
  folderVersion(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async makeFolder(path: string, mode: number): Promise<void> {
    await this.pool.run(async (session, again) => {
      try {
        await makeFolder(session, this.at(path), mode);
      } catch (error) {
        const why = await this.whyNotMade(session, path, error);
        // The one that an attempt made whose answer was lost, most likely; a folder it is in any case.
        if (!again || !hasCode(why, 'already_exists') || (await lstat(session, this.at(path))).type !== 'folder')
          throw why;
      }
      // The umask may have taken something away. Less than asked for is never unsafe.
      await setMode(session, this.at(path), mode).catch(() => undefined);
    });
  }

  /**
   * With OpenSSH's server the names are on the disk afterwards. SFTP itself has nothing for it: where the server doesn't open
   * folders (`capabilities.syncsFolders`), this does nothing, and the names are safe only once the server's own system has
   * written them, usually within seconds.
   */
  async syncFolder(path: string): Promise<void> {
    if (!this.capabilities.syncsFolders) return;
    await this.pool.run(async (session) => {
      const handle = await openFile(session, this.at(path), openFlags.read);
      try {
        await fsync(session, handle, this.options.giveUpMs);
      } finally {
        closeFile(session, handle).catch(() => undefined);
      }
    });
  }

  freeBytes(): Promise<number | undefined> {
    return this.pool.run((session) => freeBytes(session, this.options.root));
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  /** Where servers answer `Failure` and the name is free, it may have been taken, and its file deleted since: that is tried again. */
  private async hardlink(session: Session, from: string, to: string): Promise<void> {
    for (let attempts = 1; ; attempts++) {
      try {
        return await hardlink(session, this.at(from), this.at(to));
      } catch (error) {
        if (attempts === maxLinkAttempts || !hasStatus(error, status.failure)) throw error;
        if (await isThere(session, this.at(to))) throw nameTaken(error);
      }
    }
  }

  private async hasMoved(session: Session, from: string, to: string): Promise<boolean> {
    return !(await isThere(session, this.at(from))) && (await isThere(session, this.at(to)));
  }

  /** Servers say `Failure` for a name that is taken. */
  private async whyNotMade(session: Session, path: string, error: unknown): Promise<unknown> {
    if (hasStatus(error, status.failure) && (await isThere(session, this.at(path)))) return nameTaken(error);
    return explainRefusal(session, this.options.root, error);
  }

  private at(path: string): string {
    if (path === '.') return this.options.root;
    return this.options.root === '/' ? `/${path}` : `${this.options.root}/${path}`;
  }
}
