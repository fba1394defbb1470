import { crc32 } from 'node:zlib';
import { hasCode, StoreError } from '../../core/errors.js';
import type { Semaphore } from '../../lib/semaphore.js';
import type { WritableFile } from '../files/file-system.js';
import { readChunks } from '../files/reading.js';
import { packets } from './packets.js';
import { PendingWrites } from './pending-writes.js';
import type { Pool } from './pool.js';
import { RemoteFile } from './remote-file.js';
import { closeFile, exists, fstat, fsync, openFile, openFlags, type Handle } from './requests.js';
import type { Session } from './session.js';
import type { SftpFileSystemOptions } from './sftp-file-system.js';
import { explainRefusal } from './space.js';
import { fromSftp, hasStatus, LostConnection, nameTaken, status } from './status.js';

/** The session in which the file is open at the moment. */
interface OpenHandle {
  readonly session: Session;
  readonly handle: Handle;
}

export interface UploadTarget extends Pick<SftpFileSystemOptions, 'root' | 'giveUpMs'> {
  /** On the server. Nothing else uses this name. */
  readonly path: string;
  readonly mode: number;
  /** See PendingWrites. */
  readonly window: Semaphore;
}

/**
 * A file that is being written. Writes return before they are acknowledged: `sync` and `close` wait for all, and fail if any failed. When
 * the connection is lost, the file is opened again through another one, and what was not acknowledged is written again. Since the server
 * itself may have crashed, and have lost what it acknowledged but had not synced, the whole file is then read back before `sync` or `close`
 * succeed.
 */
export class RemoteUpload implements WritableFile {
  private opened: Promise<OpenHandle>;
  private readonly pending: PendingWrites;
  private size = 0;
  /** Of all bytes so far. It only has to detect lost writes. */
  private checksum = 0;
  /** How often the file was opened again, and after which of these it was last read back. */
  private reopens = 0;
  private verifiedReopens = 0;

  private constructor(
    private readonly pool: Pool,
    private readonly target: UploadTarget,
    opened: OpenHandle,
  ) {
    this.opened = Promise.resolve(opened);
    this.pending = new PendingWrites(target.window);
    this.setMode(opened);
  }

  /** Creates the file. `already_exists`; `not_found` if its folder is missing. */
  static async create(pool: Pool, target: UploadTarget): Promise<RemoteUpload> {
    const { path, mode } = target;
    const exclusive = openFlags.write | openFlags.create | openFlags.exclusive;
    const opened = await pool.run(async (session, again) => {
      try {
        return { session, handle: await openFile(session, path, exclusive, mode) };
      } catch (error) {
        if (!hasStatus(error, status.failure) && !hasStatus(error, status.exists)) throw error;
        if (!(await exists(session, path))) throw await explainRefusal(session, target.root, error);
        // Created by an earlier attempt whose answer was lost: nothing else uses this name.
        if (again) return { session, handle: await openFile(session, path, openFlags.write) };
        throw nameTaken(error);
      }
    });
    return new RemoteUpload(pool, target, opened);
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    const { session } = await this.opened;
    for (const packet of packets(chunks, session.features.maxWriteBytes)) {
      const position = this.size;
      await this.pending.write(packet.length, session.roundTripMs, () => this.deliver(packet, position));
      this.checksum = crc32(packet, this.checksum);
      this.size += packet.length;
    }
  }

  flush(): Promise<void> {
    return this.complete(async () => undefined);
  }

  sync(): Promise<void> {
    return this.complete(({ session, handle }) => fsync(session, handle, this.target.giveUpMs));
  }

  async close(): Promise<void> {
    try {
      await this.complete(async ({ session, handle }) => {
        const { size } = await fstat(session, handle);
        if (size !== this.size) {
          throw new StoreError('unavailable', "the store's server didn't keep all that was written: try again");
        }
      });
    } finally {
      await this.closeHandle();
    }
  }

  private async closeHandle(): Promise<void> {
    await this.pending.settled();
    const { session, handle } = await this.opened;
    try {
      await closeFile(session, handle);
    } catch (error) {
      // The server closes the files of a lost connection. Any other error may be a late failure of a write, as network disks have.
      if (!(error instanceof LostConnection)) throw await this.explain(session, error);
    }
  }

  /** Waits for all writes, then runs `work`; does all of it again if the connection is lost meanwhile. */
  private async complete(work: (opened: OpenHandle) => Promise<void>): Promise<void> {
    await this.retry(async (opened) => {
      await this.pending.flush();
      const { reopens } = this;
      if (reopens !== this.verifiedReopens) await this.readBack();
      this.verifiedReopens = reopens;
      await work(opened);
    });
  }

  private deliver(packet: Buffer, position: number): Promise<void> {
    return this.retry(async ({ session, handle }) => {
      const removeLoad = session.addLoad(packet.length);
      try {
        await session.send((sftp, done) => sftp.write(handle, packet, 0, packet.length, position, done));
      } catch (error) {
        throw await this.explain(session, error);
      } finally {
        removeLoad();
      }
    });
  }

  /** Runs `work` with the open file, and again through another connection when that is lost. */
  private async retry(work: (opened: OpenHandle) => Promise<void>): Promise<void> {
    let untilMs: number | undefined;
    for (;;) {
      const opened = await this.currentHandle();
      try {
        await work(opened);
        return;
      } catch (error) {
        untilMs ??= Date.now() + this.target.giveUpMs;
        if (!(error instanceof LostConnection) || Date.now() >= untilMs) throw fromSftp(error);
      }
    }
  }

  private async currentHandle(): Promise<OpenHandle> {
    const { opened } = this;
    const current = await opened;
    if (!current.session.isDead) return current;
    // Several writes notice it at once: the first one opens the file again.
    if (this.opened === opened) {
      this.reopens++;
      this.opened = this.openAgain();
      this.opened.catch(() => undefined);
    }
    return this.opened;
  }

  private async openAgain(): Promise<OpenHandle> {
    try {
      const opened = await this.pool.run(async (session) => ({
        session,
        handle: await openFile(session, this.target.path, openFlags.write),
      }));
      this.setMode(opened);
      return opened;
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error;
      throw new StoreError('unavailable', "the store's server lost the temporary file: try again", { cause: error });
    }
  }

  /** The server's umask may have reduced the permissions. A failure leaves the file with fewer, which is safe. */
  private setMode({ session, handle }: OpenHandle): void {
    const { mode } = this.target;
    this.pending.add(session.send((sftp, done) => sftp.fchmod(handle, mode, done)).catch(() => undefined));
  }

  private async readBack(): Promise<void> {
    const { path, giveUpMs } = this.target;
    const file = await RemoteFile.open(this.pool, path, false, giveUpMs);
    let checksum = 0;
    try {
      for await (const chunk of readChunks(file, 0, file.size, 4)) checksum = crc32(chunk, checksum);
    } finally {
      await file.close();
    }
    if (file.size === this.size && checksum === this.checksum) return;
    throw new StoreError('unavailable', "the store's server lost a part of what was written: try again");
  }

  private async explain(session: Session, error: unknown): Promise<unknown> {
    return explainRefusal(session, this.target.root, error, { writing: true });
  }
}
