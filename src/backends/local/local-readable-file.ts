import { read, readSync, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { ReadableFile } from '../files/file-system.js';
import { rethrow } from './errno.js';
import type { SyncIoGovernor } from './sync-io-governor.js';

/** Larger reads always run in the thread pool. */
const smallBytes = 256 * 1024;

/** Device and inode. */
export function fileId({ dev, ino }: Pick<Stats, 'dev' | 'ino'>): string {
  return `${dev}:${ino}`;
}

/** A file of this machine, open for reading. */
export class LocalReadableFile implements ReadableFile {
  readonly size: number;
  readonly modifiedMs: number;
  readonly id: string;
  private readsInProgress = 0;
  /** Called when there are none left. */
  private onIdle: (() => void) | undefined;

  /** @param governor undefined: no read may run on the event loop */
  constructor(
    private readonly handle: FileHandle,
    stat: Pick<Stats, 'size' | 'mtimeMs' | 'dev' | 'ino'>,
    private readonly governor?: SyncIoGovernor,
  ) {
    this.size = stat.size;
    this.modifiedMs = stat.mtimeMs;
    this.id = fileId(stat);
  }

  readNow(target: Uint8Array, offset: number, length: number): number | undefined {
    if (length > smallBytes) return undefined;
    try {
      return this.governor?.run(() => readSync(this.handle.fd, target, 0, length, offset));
    } catch (error) {
      rethrow(error);
    }
  }

  async read(target: Uint8Array, offset: number, length: number): Promise<number> {
    let done = 0;
    this.readsInProgress++;
    try {
      while (done < length) {
        const got = await this.readSome(target, done, length - done, offset + done);
        if (got === 0) break;
        done += got;
      }
    } catch (error) {
      rethrow(error);
    } finally {
      if (--this.readsInProgress === 0) this.onIdle?.();
    }
    return done;
  }

  sync(): Promise<void> {
    return this.handle.sync().catch(rethrow);
  }

  async close(): Promise<void> {
    // The handle doesn't know of reads by its number; and the number of a closed file may soon be another file's.
    if (this.readsInProgress > 0) await new Promise<void>((resolve) => (this.onIdle = resolve));
    // Nothing was written through this handle, so there is nothing to lose.
    await this.handle.close().catch(() => undefined);
  }

  /** By the handle's number: its own `read` takes a tenth more of a small request's time. */
  private readSome(target: Uint8Array, at: number, length: number, position: number): Promise<number> {
    const { fd } = this.handle;
    return new Promise((resolve, reject) => {
      read(fd, target, at, length, position, (error, got) => (error ? reject(error) : resolve(got)));
    });
  }
}
