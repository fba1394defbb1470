import { hasCode, ifPresent, StoreError } from '../../core/errors.js';
import type { MacBatch } from '../../core/mac-batch.js';
import type { ObjectKind, ObjectRef } from '../../core/object.js';
import type { ByteRange } from '../../core/range.js';
import { isConfig, verifiedObject } from '../../core/serialized-object.js';
import type { ObjectRead, ObjectStat, PutResult, Store, StoreInfo } from '../../core/store.js';
import type { FileSystem } from './file-system.js';
import { Folders, requireFolders } from './folders.js';
import { FreeSpace } from './free-space.js';
import { configPath, kindFolder, objectFolders, objectPath } from './layout.js';
import { Listing } from './listing.js';
import { OpenFiles } from './open-files.js';
import { ObjectReader } from './reading.js';
import { sweep, type Host } from './sweep.js';
import { Upload, type UploadOptions } from './upload.js';

export interface FileStoreOptions {
  /** Whether puts and deletes are synced to disk before they are acknowledged. */
  readonly durable: boolean;
  /** The largest packfile or state that a put may have, in bytes. */
  readonly maxObjectBytes: number;
  /** Whether the file server lacks what writing needs. Default: false. */
  readonly readOnly?: boolean;
  /** Whether synced objects are certain to survive a power cut, names included. Default: true. */
  readonly fullyDurable?: boolean;
  /** How many bytes of the disk puts of packfiles and states leave free. Default: 0. */
  readonly minFreeBytes?: number;
  readonly host: Host;
}

/** The Store over folders and files, for every kind of file server. */
export class FileStore implements Store {
  private readonly openFiles: OpenFiles;
  private readonly reader: ObjectReader;
  private readonly listing: Listing;

  private constructor(
    private readonly files: FileSystem,
    private readonly options: FileStoreOptions & UploadOptions,
  ) {
    this.openFiles = new OpenFiles(files);
    this.reader = new ObjectReader(files);
    this.listing = new Listing(files);
  }

  /**
   * Opens the store in `files`, which belongs to the store from then on and is closed if this fails: with `not_found` if there is no
   * CONFIG, with `invalid_argument` if it isn't a Kloset store's. New files get CONFIG's permissions, new folders those of the packfiles'
   * folder.
   */
  static async open(files: FileSystem, options: FileStoreOptions): Promise<FileStore> {
    try {
      const config = await files.stat(configPath);
      const folder = await files.stat(kindFolder('packfile')).catch(() => undefined);
      const store = new FileStore(files, {
        ...options,
        active: new Set(),
        space: spaces(files, options.minFreeBytes ?? 0),
        fileMode: config.mode & 0o666,
        folders: new Folders(files, { durable: options.durable, folderMode: folder?.mode ?? 0o700 }),
      });
      if (isConfig(await store.config())) return store;
      throw new StoreError('invalid_argument', "its CONFIG is not a Kloset store's");
    } catch (error) {
      await files.close();
      throw error;
    }
  }

  info(): StoreInfo {
    const { readOnly = false, fullyDurable = true, maxObjectBytes, durable } = this.options;
    return { access: readOnly ? 'read-only' : 'full', maxObjectBytes, durable: durable && fullyDurable };
  }

  async config(): Promise<Uint8Array> {
    try {
      const read = await this.reader.read(await this.files.open(configPath), undefined);
      if (read.data instanceof Uint8Array) return read.data;
      read.release();
      throw new StoreError('unavailable', "the store's CONFIG is too large to be one");
    } catch (error) {
      if (hasCode(error, 'not_found')) await requireFolders(this.files);
      throw error;
    }
  }

  list(kind: ObjectKind): AsyncIterable<MacBatch> {
    return this.listing.list(kind);
  }

  async stat(ref: ObjectRef): Promise<ObjectStat> {
    const stat = await this.explainMissing(ref, this.files.stat(objectPath(ref)));
    if (stat.type !== 'file') throw missing(ref);
    return { size: stat.size, modifiedMs: stat.modifiedMs };
  }

  async get(ref: ObjectRef, range: ByteRange | undefined): Promise<ObjectRead> {
    // Packfiles are read in many small ranges, so they are kept open; states are read once, and locks change.
    const files = ref.kind === 'packfile' ? this.openFiles : this.files;
    const file = await this.explainMissing(ref, files.open(objectPath(ref)));
    return this.reader.read(file, range);
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
    // An earlier object of this name, which another process removed, may still be open.
    if (created) this.openFiles.drop(objectPath(ref));
    return { created };
  }

  async delete(ref: ObjectRef): Promise<void> {
    this.requireWritable();
    await this.options.folders.durably(() => this.remove(ref));
  }

  /** Removes what crashed gateways' uploads left in this store. Resolves to the number of files removed. */
  sweep(): Promise<number> {
    return sweep(this.files, this.options.host, this.options.active);
  }

  close(): Promise<void> {
    this.openFiles.clear();
    this.listing.close();
    return this.files.close();
  }

  private async remove(ref: ObjectRef): Promise<void> {
    try {
      await this.files.remove(objectPath(ref));
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error;
      await requireFolders(this.files, objectFolders(ref));
    } finally {
      this.openFiles.drop(objectPath(ref));
    }
    // The order of deletes (a state goes before its packfiles) has to survive a power cut. Also if the object was gone: the process that
    // removed it may not have synced that yet.
    await ifPresent(this.options.folders.sync(ref));
  }

  private requireWritable(): void {
    if (!this.options.readOnly) return;
    throw new StoreError(
      'unimplemented',
      "the store is read-only at every access level, since its file server lacks what writing needs: the gateway's log has the details",
    );
  }

  /** Turns `not_found` into an error that says what is missing: the object, or the whole store. */
  private async explainMissing<T>(ref: ObjectRef, result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error;
      await requireFolders(this.files, objectFolders(ref));
      throw missing(ref);
    }
  }
}

/** Each kind's folder may be on a disk of its own. */
function spaces(files: FileSystem, minFreeBytes: number): UploadOptions['space'] {
  const of = (kind: ObjectKind): FreeSpace => new FreeSpace(files, kindFolder(kind), minFreeBytes);
  return { packfile: of('packfile'), state: of('state'), lock: of('lock') };
}

function missing({ kind, mac }: ObjectRef): StoreError {
  return new StoreError('not_found', `no ${kind} ${mac} in this store`);
}
