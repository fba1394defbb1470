import { hasCode, ifPresent, StoreError } from '../../core/errors.js';
import type { MacBatch } from '../../core/mac-batch.js';
import type { ObjectKind, ObjectRef } from '../../core/object.js';
import type { ByteRange } from '../../core/range.js';
import { isConfig, verifiedObject } from '../../core/serialized-object.js';
import type { ObjectRead, ObjectStat, OpContext, PutResult, Store, StoreInfo } from '../../core/store.js';
import type { ReplaceOptions, UnfinishedUpload } from '../backend.js';
import { FileDigests } from './digests.js';
import type { FileSystem } from './file-system.js';
import { Folders, requireFolders } from './folders.js';
import { FreeSpace } from './free-space.js';
import { configPath, kindFolder, objectFolders, objectPath } from './layout.js';
import { Listing } from './listing.js';
import { explainMissing, missing, whyMissing } from './missing.js';
import { OpenFiles } from './open-files.js';
import { ObjectReader } from './reading.js';
import { sweep, temporaryFiles, type Host } from './sweep.js';
import { FileTrash } from './trash.js';
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
  /** Whether `delete` moves packfiles and states to the trash. Default: false. */
  readonly trashes?: boolean;
  /** Whether digests will be recorded. Default: false. */
  readonly digests?: boolean;
  /** Whether the store will be written: it can then only be opened if the trash and the digests that it needs can be written as well. Default: false. */
  readonly writable?: boolean;
  readonly host: Host;
  /** The clock for times of deletes: in milliseconds since 1970-01-01 UTC. Default: the system's. */
  readonly now?: () => number;
}

/** The Store over folders and files, for every kind of file server. */
export class FileStore implements Store {
  readonly trash: FileTrash;
  readonly digests: FileDigests;
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
    const { folders, fileMode, durable, fullyDurable = true, now = Date.now } = options;
    const requireWritable = (): void => this.requireWritable();
    const { openFiles, reader } = this;
    this.trash = new FileTrash(files, { ...options, openFiles, reader, now, requireWritable });
    const isDurable = durable && fullyDurable;
    this.digests = new FileDigests(files, { folders, fileMode, durable, isDurable, requireWritable });
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
        folders: new Folders(files, {
          durable: options.durable,
          folderMode: folder?.type === 'folder' ? folder.mode : 0o700,
        }),
      });
      if (!isConfig(await store.config())) {
        throw new StoreError('invalid_argument', "its CONFIG is not a Kloset store's");
      }
      const { trashes = false, digests = false, writable = false, readOnly = false } = options;
      if (trashes && writable && !readOnly) await store.trash.prepare();
      if (digests && writable && !readOnly) await store.digests.prepare();
      return store;
    } catch (error) {
      await files.close();
      throw error;
    }
  }

  info(): StoreInfo {
    const { readOnly = false, fullyDurable = true, maxObjectBytes, durable } = this.options;
    const access = readOnly ? 'read-only' : 'full';
    return { access, maxObjectBytes, durable: durable && fullyDurable, retentionMs: 0, trashMs: 0 };
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
    const stat = await explainMissing(this.files, ref, this.files.stat(objectPath(ref)));
    if (stat.type !== 'file') throw missing(ref);
    return { size: stat.size, modifiedMs: stat.modifiedMs };
  }

  async get(ref: ObjectRef, range: ByteRange | undefined): Promise<ObjectRead> {
    // Packfiles are read in many small ranges, so they are kept open; states are read once, and locks change.
    const files = ref.kind === 'packfile' ? this.openFiles : this.files;
    const file = await explainMissing(this.files, ref, files.open(objectPath(ref)));
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

  async replace(
    ref: ObjectRef,
    body: AsyncIterable<Uint8Array>,
    arrivedMs: number,
    _ctx?: OpContext,
    { mustExist = false }: ReplaceOptions = {},
  ): Promise<void> {
    this.requireWritable();
    const { maxObjectBytes, space, trashes } = this.options;
    const chunks = space[ref.kind].guard(verifiedObject(ref, body, maxObjectBytes));
    const prepare = async (): Promise<void> => {
      if (trashes) await this.trash.keep(ref);
      if (mustExist && !(await this.files.exists(objectPath(ref)))) throw await whyMissing(this.files, ref);
    };
    await new Upload(this.files, ref, this.options).replace(chunks, { modifiedMs: arrivedMs, prepare });
    this.openFiles.drop(objectPath(ref));
  }

  async delete(ref: ObjectRef): Promise<void> {
    if (this.options.trashes && ref.kind !== 'lock') return this.trash.discard(ref);
    this.requireWritable();
    await this.options.folders.durably(() => this.remove(ref));
  }

  /** Removes what crashed gateways' uploads left in this store, and what is empty in its trash. Resolves to the number of files removed. */
  async sweep(): Promise<number> {
    const removed = await sweep(this.files, this.options.host, this.options.active);
    await this.trash.removeEmptyFolders();
    return removed;
  }

  /** Uploads that have not ended, and what crashed ones left. */
  unfinished(): AsyncIterable<UnfinishedUpload> {
    return temporaryFiles(this.files);
  }

  /** How many bytes can still be written on the packfiles' disk; undefined if unknown. */
  freeBytes(): Promise<number | undefined> {
    return ifPresent(this.files.freeBytes(kindFolder('packfile')));
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
}

/** Each kind's folder may be on a disk of its own. */
function spaces(files: FileSystem, minFreeBytes: number): UploadOptions['space'] {
  const of = (kind: ObjectKind): FreeSpace => new FreeSpace(files, kindFolder(kind), minFreeBytes);
  return { packfile: of('packfile'), state: of('state'), lock: of('lock') };
}
