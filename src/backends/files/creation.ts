import { hasCode, StoreError } from '../../core/errors.js';
import { objectKinds, type ObjectKind } from '../../core/object.js';
import { forEachAhead } from '../../lib/for-each-ahead.js';
import type { FileStoreOptions } from './file-store.js';
import type { FileSystem } from './file-system.js';
import {
  bucketFolder,
  bucketNames,
  configPath,
  hasBuckets,
  kindFolder,
  parseTemporary,
  temporaryPath,
} from './layout.js';

/* A new store in an empty folder, as plakar makes it. CONFIG comes last: without it the folder is no store, and can be made one later. */

/** The permissions of what is made: plakar's. */
export const folderMode = 0o700;
const fileMode = 0o600;

export type CreationOptions = Pick<FileStoreOptions, 'durable' | 'host'>;

/**
 * Makes the folders of a store, all but those that an interrupted attempt has left. Fails with `already_exists` where there is a store, and with
 * `invalid_argument` where there is anything else.
 */
export async function makeFolders(files: FileSystem, { durable }: CreationOptions): Promise<void> {
  await requireEmpty(files);
  for (const kind of objectKinds) {
    await makeFolder(files, kindFolder(kind));
    const buckets = hasBuckets(kind) ? bucketNames : [];
    await forEachAhead(buckets, files.listConcurrency, (bucket) => makeFolder(files, bucketFolder(kind, bucket)));
    if (durable) await files.syncFolder(kindFolder(kind));
  }
}

/** Makes the CONFIG of a store whose folders are made: whole, or not at all. Fails with `already_exists` if there is one. */
export async function makeConfig(
  files: FileSystem,
  config: Uint8Array,
  { durable, host }: CreationOptions,
): Promise<void> {
  // Where sweeps find it.
  const temporary = temporaryPath(kindFolder('packfile'), { host: host.name, pid: host.pid });
  const file = await files.create(temporary, fileMode);
  try {
    try {
      await file.write([config]);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    await files.link(temporary, configPath).catch((error: unknown) => {
      throw hasCode(error, 'already_exists') ? isStore(error) : error;
    });
    if (durable) await files.syncFolder('.');
  } finally {
    await files.remove(temporary).catch(() => undefined);
  }
}

async function requireEmpty(files: FileSystem): Promise<void> {
  const entries = await files.list('.');
  if (entries.some(({ name }) => name === configPath)) throw isStore();
  for (const { name, type } of entries) {
    // Of a disk's own.
    if (name === 'lost+found') continue;
    const kind = objectKinds.find((each) => kindFolder(each) === name);
    if (kind === undefined || type !== 'folder') throw notEmpty();
    await requireNoObjects(files, kind);
  }
}

async function requireNoObjects(files: FileSystem, kind: ObjectKind): Promise<void> {
  const entries = await files.list(kindFolder(kind));
  await forEachAhead(entries, files.listConcurrency, async ({ name, type }) => {
    if (parseTemporary(name) !== undefined) return;
    const isEmpty = type === 'folder' && (await files.list(bucketFolder(kind, name))).length === 0;
    if (!isEmpty) throw notEmpty();
  });
}

async function makeFolder(files: FileSystem, path: string): Promise<void> {
  await files.makeFolder(path, folderMode).catch((error: unknown) => {
    if (!hasCode(error, 'already_exists')) throw error;
  });
}

function isStore(cause?: unknown): StoreError {
  return new StoreError('already_exists', 'there is a store already', { cause });
}

function notEmpty(): StoreError {
  return new StoreError('invalid_argument', 'the folder is not empty: name an empty one, or one that does not exist');
}
