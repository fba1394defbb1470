import { hasCode, StoreError } from '../../core/errors.js';
import type { MacBatch } from '../../core/mac-batch.js';
import type { ObjectKind, ObjectRef } from '../../core/object.js';
import type { ByteRange } from '../../core/range.js';
import { isConfig, verifiedObject } from '../../core/serialized-object.js';
import type { ObjectRead, ObjectStat, PutResult, Store, StoreInfo } from '../../core/store.js';
import { durably } from './durably.js';
import type { FileSystem } from './file-system.js';
import { FreeSpace } from './free-space.js';
import { Folders } from './folders.js';
import { configPath, kindFolder, objectPath } from './layout.js';
import { Listing, requireRoot } from './listing.js';
import { OpenFiles } from './open-files.js';
import { readObject, readObjectNow, SharedReads } from './reading.js';
import { sweep } from './sweep.js';
import type { Host } from './temporary.js';
import { Upload, type UploadOptions } from './upload.js';

export interface FileStoreOptions {
  /** Whether puts and deletes are synced to disk before they are acknowledged. */
  readonly durable: boolean;
  /** The largest packfile or state that a put may have, in bytes. */
  readonly maxObjectBytes: number;
  /** Whether the file server can't promise what writing takes. Default: false. */
  readonly readOnly?: boolean;
  /** Whether what is synced survives a power cut for certain, names included. Default: true. */
  readonly fullyDurable?: boolean;
  /** How many bytes of the disk puts of packfiles and states leave free. Default: 0. */
  readonly minFreeBytes?: number;
  readonly host: Host;
}

/** The one Store over folders and files, whatever keeps them. */
export class FileStore implements Store {
  private readonly openFiles: OpenFiles;
  private readonly reads: SharedReads;
  private readonly listing: Listing;

  private constructor(
    private readonly files: FileSystem,
    private readonly options: FileStoreOptions & UploadOptions,
  ) {
    this.openFiles = new OpenFiles(files);
    this.reads = new SharedReads(files);
    this.listing = new Listing(files);
  }

  /**
   * Opens the store that is in `files`, which it closes in the end. Fails with `not_found` where there is no CONFIG, and with
   * `invalid_argument` where that isn't a Kloset store's. New files get the permissions that CONFIG has, new folders those of
   * the folder of packfiles.
   */
  static async open(files: FileSystem, options: FileStoreOptions): Promise<FileStore> {
    const config = await files.stat(configPath);
    const folder = await files.stat(kindFolder('packfile')).catch(() => undefined);
    const store = new FileStore(files, {
      ...options,
      underWay: new Set(),
      space: new FreeSpace(files, options.minFreeBytes ?? 0),
      fileMode: config.mode & 0o666,
      folders: new Folders(files, { durable: options.durable, folderMode: folder?.mode ?? 0o700 }),
    });
    if (!isConfig(await store.config())) {
      throw new StoreError('invalid_argument', "its CONFIG is not a Kloset store's");
    }
    return store;
  }

  info(): StoreInfo {
    const { readOnly = false, fullyDurable = true, maxObjectBytes, durable } = this.options;
    return { access: readOnly ? 'read-only' : 'full', maxObjectBytes, durable: durable && fullyDurable };
  }

  async config(): Promise<Uint8Array> {
    try {
      const read = await readObject(await this.files.open(configPath), undefined, this.reads);
      if (read.data instanceof Uint8Array) return read.data;
      read.release();
      throw new StoreError('unavailable', "the store's CONFIG is too large to be one");
    } catch (error) {
      if (hasCode(error, 'not_found')) await requireRoot(this.files);
      throw error;
    }
  }

  list(kind: ObjectKind): AsyncIterable<MacBatch> {
    return this.listing.list(kind);
  }

  async stat(ref: ObjectRef): Promise<ObjectStat> {
    const stat = await this.present(ref, this.files.stat(objectPath(ref)));
    if (stat.type !== 'file') throw missing(ref);
    return { size: stat.size, modifiedMs: stat.modifiedMs };
  }

  async get(ref: ObjectRef, range: ByteRange | undefined): Promise<ObjectRead> {
    // By far the most frequent request there is: a small piece of a packfile that is open, and in memory.
    if (ref.kind !== 'packfile' || range === undefined) return this.readLater(ref, range);
    const path = objectPath(ref);
    const file = this.openFiles.atHand(path);
    const read = file && readObjectNow(file, range, this.reads);
    if (read !== undefined) return read;
    // Or in one that has to come from the disk.
    const lent = this.openFiles.lendAtHand(path);
    if (lent === undefined) return this.readLater(ref, range);
    return readObject(lent, range, this.reads);
  }

  private async readLater(ref: ObjectRef, range: ByteRange | undefined): Promise<ObjectRead> {
    // Packfiles are read in many small pieces; states once, and locks change.
    const from = ref.kind === 'packfile' ? this.openFiles : this.files;
    const file = await this.present(ref, from.open(objectPath(ref)));
    return readObject(file, range, this.reads);
  }

  async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>): Promise<PutResult> {
    this.requireWritable();
    const chunks = verifiedObject(ref, body, this.options.maxObjectBytes);
    const upload = new Upload(this.files, ref, this.options);
    if (ref.kind === 'lock') {
      await upload.replace(chunks);
      return { created: true };
    }
    const created = await upload.create(chunks);
    // Others may have removed an object of this name, which is still open here.
    if (created) this.openFiles.drop(objectPath(ref));
    return { created };
  }

  async delete(ref: ObjectRef): Promise<void> {
    this.requireWritable();
    await durably(this.files, () => this.remove(ref));
  }

  /** Removes what crashed uploads of gateways left in this store. Resolves to how many files that were. */
  sweep(): Promise<number> {
    return sweep(this.files, this.options.host, this.options.underWay);
  }

  close(): Promise<void> {
    this.openFiles.clear();
    return this.files.close();
  }

  private async remove(ref: ObjectRef): Promise<void> {
    try {
      await this.files.remove(objectPath(ref));
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error;
      await requireRoot(this.files);
    } finally {
      this.openFiles.drop(objectPath(ref));
    }
    // Deletes have an order (a state goes before its packfiles), which has to survive a power cut. Whoever removed it before may not have
    // synced that yet.
    try {
      await this.options.folders.sync(ref);
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error;
    }
  }

  private requireWritable(): void {
    if (!this.options.readOnly) return;
    throw new StoreError(
      'unimplemented',
      "the store is read-only, whatever the access: its file server can't promise what writing takes, as the gateway's log says",
    );
  }

  /** Says what is missing where something is, or that the whole store is. */
  private async present<T>(ref: ObjectRef, result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error;
      await requireRoot(this.files);
      throw missing(ref);
    }
  }
}

function missing({ kind, mac }: ObjectRef): StoreError {
  return new StoreError('not_found', `no ${kind} ${mac} in this store`);
}
