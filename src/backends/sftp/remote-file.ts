import { StoreError } from '../../core/errors.js';
import type { FileStat, ReadableFile } from '../files/file-system.js';
import { TooManyOpen } from '../files/too-many-open.js';
import { splitEvenly } from './packets.js';
import type { Pool } from './pool.js';
import { closeFile, fstat, fsync, lstat, openFile, openFlags, readOnce, type Handle } from './requests.js';
import type { Session } from './session.js';
import { hasStatus, status } from './status.js';

/** What a file is, so that it is known again when it is opened through another connection. */
type Identity = Pick<FileStat, 'size' | 'modifiedMs'>;

/** A file that is open for reading, through as many connections as the reads are spread over. */
export class RemoteFile implements ReadableFile {
  private readonly handles = new WeakMap<Session, Promise<Handle>>();
  private readonly underWay = new Set<Promise<unknown>>();

  private constructor(
    private readonly pool: Pool,
    private readonly path: string,
    private readonly syncLimitMs: number,
    private readonly identity: Identity,
    first: { session: Session; handle: Handle },
  ) {
    this.handles.set(first.session, Promise.resolve(first.handle));
  }

  get size(): number {
    return this.identity.size;
  }

  get modifiedMs(): number {
    return this.identity.modifiedMs;
  }

  /**
   * Opens a regular file. `not_found`.
   *
   * @param path on the server
   * @param immutable whether files of this name never change, which saves a round trip
   * @param syncLimitMs how long a sync may take, in milliseconds
   */
  static open(pool: Pool, path: string, immutable: boolean, syncLimitMs: number): Promise<RemoteFile> {
    return pool.run(async (session) => {
      // First, not at the same time: opening a pipe, should someone have put one there, would stop the whole server.
      const found = await lstat(session, path);
      if (found.type !== 'file') throw new StoreError('not_found', 'not a file');
      const handle = await openForReading(session, path);
      try {
        const identity = immutable ? found : await fstat(session, handle);
        return new RemoteFile(pool, path, syncLimitMs, identity, { session, handle });
      } catch (error) {
        closeFile(session, handle).catch(() => undefined);
        throw error;
      }
    });
  }

  async read(target: Uint8Array, offset: number, length: number): Promise<number> {
    const buffer = Buffer.from(target.buffer, target.byteOffset, length);
    const reading = this.pool.run((session) => this.readThrough(session, buffer, offset), length);
    this.underWay.add(reading);
    try {
      return await reading;
    } finally {
      this.underWay.delete(reading);
    }
  }

  sync(): Promise<void> {
    return this.pool.run(async (session) => {
      if (!session.features.fsync) throw cannotSync();
      await fsync(session, await this.handleOf(session), this.syncLimitMs);
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.underWay);
    for (const session of this.pool.alive) {
      // Nobody has to wait for it: nothing was written that it could lose.
      this.handles
        .get(session)
        ?.then((handle) => closeFile(session, handle))
        .catch(() => undefined);
      this.handles.delete(session);
    }
  }

  /** Fills `buffer`, or as much of it as the file has. When it fails, nothing is written into `buffer` any more. */
  private async readThrough(session: Session, buffer: Buffer, offset: number): Promise<number> {
    const handle = await this.handleOf(session);
    const parts = splitEvenly(buffer.length, session.features.maxReadBytes);
    const results = await Promise.allSettled(
      parts.map(({ at, length }) => readFully(session, handle, buffer.subarray(at, at + length), offset + at)),
    );
    let total = 0;
    let ended = false;
    for (const [index, result] of results.entries()) {
      if (result.status === 'rejected') throw result.reason;
      if (!ended) total += result.value;
      // What was read beyond a gap is not what comes next.
      ended ||= result.value < (parts[index]?.length ?? 0);
    }
    return total;
  }

  private handleOf(session: Session): Promise<Handle> {
    let handle = this.handles.get(session);
    if (handle === undefined) {
      handle = this.openAgain(session);
      this.handles.set(session, handle);
      handle.catch(() => this.handles.delete(session));
    }
    return handle;
  }

  private async openAgain(session: Session): Promise<Handle> {
    const handle = await openForReading(session, this.path);
    const { size, modifiedMs } = await fstat(session, handle);
    if (size === this.identity.size && modifiedMs === this.identity.modifiedMs) return handle;
    closeFile(session, handle).catch(() => undefined);
    throw new StoreError('unavailable', 'the object was replaced while it was read: try again');
  }
}

/** Where syncing isn't offered, saying that it was done would be a lie. */
export function cannotSync(): StoreError {
  return new StoreError('unimplemented', "the store's SFTP server can't sync files to its disk");
}

async function openForReading(session: Session, path: string): Promise<Handle> {
  try {
    return await openFile(session, path, openFlags.read);
  } catch (error) {
    if (!hasStatus(error, status.failure)) throw error;
    // It is there, it may be read, and it is a file: what is left is the number of files that may be open.
    throw new TooManyOpen("the store's server can't open more files now: try again later", error);
  }
}

/** Servers may answer with less than was asked for, at any time. Only no bytes at all is the file's end. */
async function readFully(session: Session, handle: Handle, target: Buffer, position: number): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const got = await readOnce(session, handle, target.subarray(done), position + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}
