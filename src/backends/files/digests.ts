import {
  isSegmentName,
  type DigestStorage,
  type SegmentAppender,
  type SegmentInfo,
  type SegmentReadOptions,
} from '../../core/digests.js';
import { hasCode, ifPresent, StoreError } from '../../core/errors.js';
import type { OpContext } from '../../core/store.js';
import { mapAhead } from '../../lib/map-ahead.js';
import type { FileSystem, WritableFile } from './file-system.js';
import { requireFolders, type Folders } from './folders.js';
import { digestsFolder, digestsFolders, segmentPath } from './layout.js';
import { readChunks } from './reading.js';

export interface FileDigestsOptions {
  readonly folders: Folders;
  /** The permissions of new segments. */
  readonly fileMode: number;
  /** Whether what is appended is synced. */
  readonly durable: boolean;
  /** Whether all of that, names included, is certain to survive a power cut. */
  readonly isDurable: boolean;
  /** Throws unless the store can be written. */
  readonly requireWritable: () => void;
}

/** How often a segment is opened again when it can't be read on. */
const maxAttempts = 4;

/** The segments of a store of files, in a folder of the store. */
export class FileDigests implements DigestStorage {
  readonly maxSegmentBytes = 64 * 1024 * 1024;

  constructor(
    private readonly files: FileSystem,
    private readonly options: FileDigestsOptions,
  ) {}

  get isDurable(): boolean {
    return this.options.isDurable;
  }

  /** Makes the folder that segments need now, so that it is known whether that can be done. */
  async prepare(): Promise<void> {
    try {
      await this.options.folders.make(digestsFolders);
    } catch (error) {
      // Then it can still be read.
      if (hasCode(error, 'no_space')) return;
      const { code, message } = StoreError.from(error);
      throw new StoreError(
        code,
        `no digests could be recorded, as the folder ${digestsFolder} in it can't be made or written: ${message}. ` +
          "Make that folder for the gateway's user, let that user write to the store's folder, or leave out the setting `digests`.",
        { cause: error },
      );
    }
  }

  async list(): Promise<readonly SegmentInfo[]> {
    const { files } = this;
    const found = await ifPresent(files.list(digestsFolder));
    // One that isn't there is empty, provided that the store itself is.
    if (found === undefined) await requireFolders(files, digestsFolders);
    const names = (found ?? []).filter(({ name, type }) => type === 'file' && isSegmentName(name));
    const segments: SegmentInfo[] = [];
    const look = async ({ name }: { name: string }) => ({ name, stat: await ifPresent(files.stat(segmentPath(name))) });
    for await (const { name, stat } of mapAhead(names, files.listConcurrency, look)) {
      if (stat !== undefined) segments.push({ name, size: stat.size });
    }
    return segments.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  async *read(
    name: string,
    { signal }: OpContext,
    { from = 0, synced = false }: SegmentReadOptions = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let at = from;
    for (let attempts = 1; ; attempts++) {
      try {
        for await (const chunk of this.readOnce(name, at, synced)) {
          signal.throwIfAborted();
          at += chunk.length;
          yield chunk;
        }
        return;
      } catch (error) {
        // SFTP's files can't be read on after a reconnection if they grew meanwhile.
        if (!hasCode(error, 'unavailable') || attempts === maxAttempts) throw error;
      }
    }
  }

  async create(name: string): Promise<SegmentAppender> {
    const { folders, fileMode, durable, requireWritable } = this.options;
    requireWritable();
    const create = (): Promise<WritableFile> => this.files.create(segmentPath(name), fileMode);
    const file = await create().catch(async (error: unknown) => {
      if (!hasCode(error, 'not_found')) throw error;
      await folders.make(digestsFolders);
      return create();
    });
    try {
      await folders.syncAll(digestsFolders);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    return {
      append: async (bytes) => {
        await file.write([bytes]);
        await (durable ? file.sync() : file.flush?.());
      },
      close: () => file.close(),
    };
  }

  private async *readOnce(name: string, from: number, synced: boolean): AsyncGenerator<Uint8Array, void, undefined> {
    const file = await this.files.open(segmentPath(name));
    try {
      if (synced) await file.sync();
      yield* readChunks(file, from, Math.max(0, file.size - from), 1);
    } finally {
      await file.close();
    }
  }
}
