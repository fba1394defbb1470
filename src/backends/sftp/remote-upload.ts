import { hasCode, StoreError } from '../../core/errors.js';
import type { WritableFile } from '../files/file-system.js';
import { readChunks } from '../files/reading.js';
import { Checksum } from './checksum.js';
import { packets } from './packets.js';
import type { Pool } from './pool.js';
import { cannotSync, RemoteFile } from './remote-file.js';
import { closeFile, fstat, fsync, isThere, openFile, openFlags, setHandleMode, writeOnce } from './requests.js';
import type { Handle } from './requests.js';
import type { Session } from './session.js';
import { explainRefusal } from './space.js';
import { fromSftp, hasStatus, LostConnection, nameTaken, status } from './status.js';
import { UnderWay, type Traffic } from './under-way.js';

/** Where the file is open at the moment. */
interface Place {
  readonly session: Session;
  readonly handle: Handle;
}

export interface UploadTarget {
  /** On the server. Nobody else uses this name. */
  readonly path: string;
  readonly mode: number;
  /** The store's folder on the server. */
  readonly root: string;
  /** How long connections are tried to be had again, and how long a sync may take, in milliseconds. */
  readonly giveUpMs: number;
  /** Of all uploads to the store. */
  readonly traffic: Traffic;
}

/**
 * A file that is being written. Writes are acknowledged later than they return: `sync` and `close` wait for all, and fail if
 * any failed. When the connection is lost, the file is opened again through another one, and what was not acknowledged is
 * written again. As the server itself may have gone down in between, and with it what it had acknowledged and not synced, the
 * whole file is read back then, before anyone is told that it is written.
 */
export class RemoteUpload implements WritableFile {
  private place: Promise<Place>;
  private readonly underWay: UnderWay;
  private position = 0;
  /** How many times the file was opened anew, and as of which of them it was read back. */
  private moves = 0;
  private checkedMoves = 0;
  private readonly checksum = new Checksum();

  private constructor(
    private readonly pool: Pool,
    private readonly target: UploadTarget,
    place: Place,
  ) {
    this.place = Promise.resolve(place);
    this.underWay = new UnderWay(target.traffic);
    this.setMode(place);
  }

  /** Makes the file. `already_exists`; `not_found` where its folder is missing. */
  static async create(pool: Pool, target: UploadTarget): Promise<RemoteUpload> {
    const { path, mode } = target;
    const exclusive = openFlags.write | openFlags.create | openFlags.exclusive;
    const place = await pool.run(async (session, again) => {
      try {
        return { session, handle: await openFile(session, path, exclusive, mode) };
      } catch (error) {
        if (!hasStatus(error, status.failure) && !hasStatus(error, status.exists)) throw error;
        if (!(await isThere(session, path))) throw await explainRefusal(session, target.root, error);
        // Made by the attempt whose answer was lost: nobody else uses this name.
        if (again) return { session, handle: await openFile(session, path, openFlags.write) };
        throw nameTaken(error);
      }
    });
    return new RemoteUpload(pool, target, place);
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    const { session } = await this.place;
    for (const packet of packets(chunks, session.features.maxWriteBytes)) {
      await this.underWay.room(packet.length, session.roundTripMs);
      this.checksum.add(packet);
      void this.underWay.add(this.deliver(packet, this.position), packet.length);
      this.position += packet.length;
    }
  }

  async sync(): Promise<void> {
    await this.settle(async ({ session, handle }) => {
      if (!session.features.fsync) throw cannotSync();
      await fsync(session, handle, this.target.giveUpMs);
    });
  }

  async close(): Promise<void> {
    try {
      await this.settle(async ({ session, handle }) => {
        const { size } = await fstat(session, handle);
        if (size !== this.position) {
          throw new StoreError('unavailable', "the store's server didn't keep all that was written: try again");
        }
      });
    } finally {
      await this.closeHandle();
    }
  }

  private async closeHandle(): Promise<void> {
    await this.underWay.over();
    const { session, handle } = await this.place;
    try {
      await closeFile(session, handle);
    } catch (error) {
      // With the connection the server closes it too. All else may be a write that failed late, as network disks do.
      if (!(error instanceof LostConnection)) throw await this.explain(session, error);
    }
  }

  /** Waits for all writes and then does `work`; all of that again when the connection is lost on the way. */
  private async settle(work: (place: Place) => Promise<void>): Promise<void> {
    await this.persist(async (place) => {
      await this.underWay.settled();
      const moves = this.moves;
      if (moves !== this.checkedMoves) await this.readBack();
      this.checkedMoves = moves;
      await work(place);
    });
  }

  private deliver(packet: Buffer, position: number): Promise<void> {
    return this.persist(async ({ session, handle }) => {
      const release = session.carry(packet.length);
      try {
        await writeOnce(session, handle, packet, position);
      } catch (error) {
        throw await this.explain(session, error);
      } finally {
        release();
      }
    });
  }

  /** Runs `work` where the file is open, and again wherever it is opened next when the connection is lost. */
  private async persist(work: (place: Place) => Promise<void>): Promise<void> {
    let untilMs: number | undefined;
    for (;;) {
      const place = await this.currentPlace();
      try {
        await work(place);
        return;
      } catch (error) {
        untilMs ??= Date.now() + this.target.giveUpMs;
        if (!(error instanceof LostConnection) || Date.now() >= untilMs) throw fromSftp(error);
      }
    }
  }

  private async currentPlace(): Promise<Place> {
    const promise = this.place;
    const place = await promise;
    if (!place.session.isDead) return place;
    // Several writes find out at once; one of them opens the file again.
    if (this.place === promise) {
      this.moves++;
      this.place = this.openAgain();
      this.place.catch(() => undefined);
    }
    return this.place;
  }

  private async openAgain(): Promise<Place> {
    try {
      const place = await this.pool.run(async (session) => ({
        session,
        handle: await openFile(session, this.target.path, openFlags.write),
      }));
      this.setMode(place);
      return place;
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error;
      throw new StoreError('unavailable', "the store's server lost the temporary file: try again", { cause: error });
    }
  }

  /** The umask of the server may have taken away what the store's other files have. Less than asked for is never unsafe. */
  private setMode({ session, handle }: Place): void {
    const setting = setHandleMode(session, handle, this.target.mode).catch(() => undefined);
    void this.underWay.add(setting, 0);
  }

  private async readBack(): Promise<void> {
    const { path, giveUpMs } = this.target;
    const file = await RemoteFile.open(this.pool, path, false, giveUpMs);
    try {
      if (await this.checksum.matches(readChunks(file, 0, file.size, 4))) return;
    } finally {
      await file.close();
    }
    throw new StoreError('unavailable', "the store's server lost a part of what was written: try again");
  }

  private async explain(session: Session, error: unknown): Promise<unknown> {
    return explainRefusal(session, this.target.root, error, { writing: true });
  }
}
