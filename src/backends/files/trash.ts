import { posix } from 'node:path';
import { hasCode, ifPresent, StoreError } from '../../core/errors.js';
import type { ObjectKind, ObjectRef } from '../../core/object.js';
import type { ByteRange } from '../../core/range.js';
import type { ObjectRead, ObjectStat, OpContext } from '../../core/store.js';
import type { Trash, TrashedObject } from '../../core/trash.js';
import { concatAhead } from '../../lib/concat-ahead.js';
import { forEachAhead } from '../../lib/for-each-ahead.js';
import { mapAhead } from '../../lib/map-ahead.js';
import type { FileSystem } from './file-system.js';
import { requireFolders, type Folders } from './folders.js';
import {
  hourFolder,
  hourOf,
  isHour,
  newTrashed,
  objectFolders,
  objectPath,
  parseTrashed,
  startOfHour,
  trashedFolder,
  trashedFolders,
  trashedId,
  trashedKinds,
  trashedPath,
  trashFolder,
} from './layout.js';
import { explainMissing, missing, whyMissing } from './missing.js';
import type { OpenFiles } from './open-files.js';
import { copyObject, type ObjectCopyOptions } from './object-copy.js';
import { explainOtherDisk, isOtherDisk } from './other-disk.js';
import type { ObjectReader } from './reading.js';
import { isSame, moveBack, type Restoration } from './restoration.js';

export interface FileTrashOptions extends ObjectCopyOptions {
  readonly folders: Folders;
  readonly openFiles: OpenFiles;
  readonly reader: ObjectReader;
  /** The clock for times of deletes: in milliseconds since 1970-01-01 UTC. */
  readonly now: () => number;
  /** Throws unless the store can be written. */
  readonly requireWritable: () => void;
}

/** Gives a file a new name, from a path to a path. */
type Move = (from: string, to: string) => Promise<void>;

/** The last day that the names of the trash's folders can tell. */
const lastMs = Date.UTC(9999, 11, 31);

/** How often a delete makes the trash's folders when they disappear each time. */
const maxAttempts = 3;

/** How long the folders of an hour stay after it, though empty, in milliseconds: other gateways' clocks may be behind. */
const graceMs = 3600 * 1000;

/**
 * The trash of a store of files, in a folder of the store. An object goes there and comes back by its name only, on the same disk, so that
 * it is never in two halves, and costs no room.
 *
 * After a power cut or a crash an object is in the store or in the trash; after that of a restore it may be in both, and the same restore
 * then removes it from the trash.
 */
export class FileTrash implements Trash {
  constructor(
    private readonly files: FileSystem,
    private readonly options: FileTrashOptions,
  ) {}

  async *list(_ctx?: OpContext, deletedBeforeMs = Infinity): AsyncGenerator<TrashedObject, void, undefined> {
    const hours = (await this.hours()).filter((hour) => !(startOfHour(hour) >= deletedBeforeMs));
    const parts = hours.flatMap((hour) => trashedKinds.map((kind) => this.batches(hour, kind)));
    for await (const objects of concatAhead(parts, this.files.listConcurrency)) yield* objects;
  }

  async version(): Promise<string | undefined> {
    const versions: string[] = [];
    const folders = (await this.hours()).flatMap((hour) => trashedKinds.map((kind) => trashedFolder(hour, kind)));
    const versionOf = (folder: string) => ifPresent(this.files.folderVersion(folder).then((version) => ({ version })));
    for await (const found of mapAhead(folders, this.files.listConcurrency, versionOf)) {
      if (found !== undefined && found.version === undefined) return undefined;
      versions.push(found?.version ?? '');
    }
    return [...folders, ...versions].join('\n');
  }

  async stat(object: TrashedObject): Promise<ObjectStat> {
    const stat = await explainMissing(this.files, object, this.files.stat(trashedPath(known(object))));
    if (stat.type !== 'file') throw missing(object);
    return { size: stat.size, modifiedMs: stat.modifiedMs };
  }

  async get(object: TrashedObject, range: ByteRange | undefined): Promise<ObjectRead> {
    const { ref } = known(object);
    // As in the store.
    const files = ref.kind === 'packfile' ? this.options.openFiles : this.files;
    const file = await explainMissing(this.files, object, files.open(trashedPath(object)));
    return this.options.reader.read(file, range);
  }

  discard(ref: ObjectRef): Promise<void> {
    return this.takeIn(ref, (from, to) => this.files.rename(from, to));
  }

  /** Has an object in the trash as well, before another one replaces it in the store: by a second name, or where that can't be, as a copy. */
  keep(ref: ObjectRef): Promise<void> {
    return this.takeIn(ref, (from, to) => this.linkOrCopy(ref, from, to));
  }

  private async takeIn(ref: ObjectRef, move: Move): Promise<void> {
    const { folders, openFiles, now, requireWritable } = this.options;
    requireWritable();
    if (ref.kind === 'lock') throw new StoreError('invalid_argument', 'locks are never kept in the trash');
    const { modifiedMs = 0 } = (await ifPresent(this.files.stat(objectPath(ref)))) ?? {};
    // Not before it arrived, whatever the clocks say.
    const object = newTrashed(ref, Math.max(now(), Math.min(Math.ceil(modifiedMs), lastMs)));
    try {
      await folders.durably(async () => {
        const moved = await this.moveIn(object, move);
        // Its new name first: after a power cut it must not have none. Also if another delete moved it, which may not have synced yet.
        const synced = folders.syncAll(trashedFolders(object));
        await (moved ? synced : ifPresent(synced));
        await ifPresent(folders.sync(ref));
      });
    } finally {
      openFiles.drop(objectPath(ref));
    }
  }

  async restore(object: TrashedObject): Promise<boolean> {
    const { folders, openFiles, requireWritable } = this.options;
    requireWritable();
    const trashed = known(object);
    let outcome = 'missing' as Restoration;
    await folders.durably(async (again) => {
      outcome = await moveBack(this.files, folders, trashed, again);
      if (outcome === 'done') await folders.sync(trashed.ref);
    });
    if (outcome === 'missing') throw await whyMissing(this.files, trashed);
    // Only now that its name in the store is certain to stay.
    if (outcome === 'done') await folders.durably(() => this.dropName(trashed));
    openFiles.drop(trashedPath(trashed));
    // An earlier object of this name, which another process removed, may still be open.
    openFiles.drop(objectPath(trashed.ref));
    return outcome === 'done';
  }

  /** After a power cut it may be there again. */
  async remove(object: TrashedObject): Promise<void> {
    this.options.requireWritable();
    const path = trashedPath(known(object));
    try {
      await this.files.remove(path);
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error;
      await requireFolders(this.files, trashedFolders(object));
    } finally {
      this.options.openFiles.drop(path);
    }
  }

  /** Makes the folders that a delete needs now, so that it is known whether that can be done. */
  async prepare(): Promise<void> {
    try {
      await this.options.folders.make([
        posix.dirname(trashFolder),
        trashFolder,
        hourFolder(hourOf(this.options.now())),
      ]);
    } catch (error) {
      // Then it can still be read, and what is in the trash be purged.
      if (hasCode(error, 'no_space')) return;
      const { code, message } = StoreError.from(error);
      throw new StoreError(
        code,
        `nothing could be deleted, as its trash, the folder ${trashFolder} in it, can't be made or written: ${message}. ` +
          "Make that folder for the gateway's user, let that user write to the store's folder, or leave out the setting `trash`.",
        { cause: error },
      );
    }
  }

  /** Removes the folders that nothing is in and nothing will be moved to. */
  async removeEmptyFolders(): Promise<void> {
    const current = hourOf(this.options.now() - graceMs);
    const past = (await this.hours()).filter((hour) => hour < current);
    await forEachAhead(past, this.files.listConcurrency, (hour) => this.removeEmptyHour(hour));
  }

  private async removeEmptyHour(hour: string): Promise<void> {
    // One with something in it is the usual case, and needs no further look.
    for (const kind of trashedKinds) {
      if (!(await this.files.removeFolder(trashedFolder(hour, kind)))) return;
    }
    await this.files.removeFolder(hourFolder(hour));
  }

  private async hours(): Promise<string[]> {
    const found = await ifPresent(this.files.list(trashFolder));
    // One that isn't there is empty, provided that the store itself is.
    if (found === undefined) await requireFolders(this.files, [trashFolder]);
    const hours = (found ?? []).filter(({ name, type }) => type === 'folder' && isHour(name));
    return hours.map(({ name }) => name).sort();
  }

  /** What was deleted in an hour. There may be very much of it. */
  private async *batches(hour: string, kind: ObjectKind): AsyncGenerator<TrashedObject[], void, undefined> {
    try {
      for await (const entries of this.files.batches(trashedFolder(hour, kind))) {
        yield entries.flatMap(({ name, type }) => {
          const object = type === 'file' ? parseTrashed(trashedId(hour, kind, name)) : undefined;
          return object ?? [];
        });
      }
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error;
    }
  }

  /** Resolves to whether it moved the object; false if the store doesn't have it. */
  private async moveIn(object: TrashedObject, move: Move): Promise<boolean> {
    const path = objectPath(object.ref);
    for (let attempts = 1; ; attempts++) {
      const moved = await ifPresent(move(path, trashedPath(object)).then(() => true)).catch(async (error: unknown) => {
        throw await explainOtherDisk(this.files, object.ref, error);
      });
      if (moved) return true;
      // It's the object or a folder of the trash that is missing.
      await requireFolders(this.files, objectFolders(object.ref));
      if (!(await this.files.exists(path))) return false;
      if (attempts === maxAttempts) {
        throw new StoreError(
          'unavailable',
          "the folders of the store's trash disappear again and again: try again later",
        );
      }
      await ifPresent(this.options.folders.make(trashedFolders(object)));
    }
  }

  private async linkOrCopy(ref: ObjectRef, from: string, to: string): Promise<void> {
    const { files } = this;
    if ((await files.stat(from)).type !== 'file') {
      const what = `what has the name of ${ref.kind} ${ref.mac} in the store is no file: move it away by hand`;
      throw new StoreError('invalid_argument', what);
    }
    if (files.linkMoves === true) return copyObject(files, ref, to, this.options);
    try {
      await files.link(from, to);
    } catch (error) {
      // It can be its own, of an attempt whose answer was lost.
      if (hasCode(error, 'already_exists') && (await isSame(files, from, to))) return;
      if (!(await isOtherDisk(files, ref, error))) throw error;
      await copyObject(files, ref, to, this.options);
    }
  }

  private async dropName(object: TrashedObject): Promise<void> {
    await ifPresent(this.files.remove(trashedPath(object)));
    await ifPresent(this.options.folders.syncAll(trashedFolders(object)));
  }
}

/** The object, by its id alone. Fails with `not_found` for an id that no object can have, which may lead out of the trash. */
function known(object: TrashedObject): TrashedObject {
  const found = parseTrashed(object.id);
  if (found === undefined) throw missing(object);
  return found;
}
