import { StoreError } from '../../core/errors.js';
import { TooManyOpen, type FileStat, type ReadableFile } from '../files/file-system.js';
import { splitEvenly } from './packets.js';
import type { Pool } from './pool.js';
import { closeInBackground, fstat, fsync, lstat, openFile, openFlags, readOnce, type Handle } from './requests.js';
import type { Session } from './session.js';
import { hasStatus, status } from './status.js';

/** A file that is open for reading, in every session that its reads are spread over. */
export class RemoteFile implements ReadableFile {
  /** SFTP has no inodes. */
  readonly id = undefined;
  /** With `modifiedMs`, tells whether a file that is opened through another connection is the same. */
  readonly size: number;
  readonly modifiedMs: number;
  private readonly handles = new WeakMap<Session, Promise<Handle>>();
  private readonly reads = new Set<Promise<unknown>>();

  private constructor(
    private readonly pool: Pool,
    private readonly path: string,
    private readonly syncLimitMs: number,
    { size, modifiedMs }: FileStat,
    first: { session: Session; handle: Handle },
  ) {
    this.size = size;
    this.modifiedMs = modifiedMs;
    this.handles.set(first.session, Promise.resolve(first.handle));
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
      // Before it is opened, not at the same time: opening a pipe that someone put there would block the whole server.
      const found = await lstat(session, path);
      if (found.type !== 'file') throw new StoreError('not_found', 'not a file');
      const handle = await openForReading(session, path);
      try {
        const stat = immutable ? found : await fstat(session, handle);
        return new RemoteFile(pool, path, syncLimitMs, stat, { session, handle });
      } catch (error) {
        closeInBackground(session, handle);
        throw error;
      }
    });
  }

  async read(target: Uint8Array, offset: number, length: number): Promise<number> {
    const buffer = Buffer.from(target.buffer, target.byteOffset, length);
    const reading = this.pool.run((session) => this.readThrough(session, buffer, offset), length);
    this.reads.add(reading);
    try {
      return await reading;
    } finally {
      this.reads.delete(reading);
    }
  }

  sync(): Promise<void> {
    return this.pool.run(async (session) => fsync(session, await this.handleIn(session), this.syncLimitMs));
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.reads);
    for (const session of this.pool.sessions) {
      this.handles
        .get(session)
        ?.then((handle) => closeInBackground(session, handle))
        .catch(() => undefined);
      this.handles.delete(session);
    }
  }

  /** Fills `buffer`, or as much of it as the file has. When it fails, nothing writes into `buffer` any more. */
  private async readThrough(session: Session, buffer: Buffer, offset: number): Promise<number> {
    const handle = await this.handleIn(session);
    const parts = splitEvenly(buffer.length, session.features.maxReadBytes);
    const results = await Promise.allSettled(
      parts.map(({ at, length }) => readFully(session, handle, buffer.subarray(at, at + length), offset + at)),
    );
    let total = 0;
    let ended = false;
    for (const [index, result] of results.entries()) {
      if (result.status === 'rejected') throw result.reason;
      // Bytes after a gap don't count.
      if (!ended) total += result.value;
      ended ||= result.value < (parts[index]?.length ?? 0);
    }
    return total;
  }

  private handleIn(session: Session): Promise<Handle> {
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
    if (size === this.size && modifiedMs === this.modifiedMs) return handle;
    closeInBackground(session, handle);
    throw new StoreError('unavailable', 'the object was replaced while it was read: try again');
  }
}

async function openForReading(session: Session, path: string): Promise<Handle> {
  try {
    return await openFile(session, path, openFlags.read);
  } catch (error) {
    if (!hasStatus(error, status.failure)) throw error;
    // The file exists and is readable, so what remains is the limit of open files.
    throw new TooManyOpen("the store's server can't open more files now: try again later", error);
  }
}

/** Servers may answer with fewer bytes than were asked for, at any time. Only an answer without bytes is the file's end. */
async function readFully(session: Session, handle: Handle, target: Buffer, position: number): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const got = await readOnce(session, handle, target.subarray(done), position + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}
