import { stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { hasCode, StoreError } from '../../core/errors.js';
import type { Logger } from '../../lib/logger.js';
import { resolvePath } from '../../lib/paths.js';
import type { Backend } from '../backend.js';
import { folderMode, makeConfig, makeFolders } from '../files/creation.js';
import { FileStore } from '../files/file-store.js';
import { kindFolder, trashedKinds, trashFolder } from '../files/layout.js';
import { guardedFileSystem } from './guarded-file-system.js';
import { LocalFileSystem } from './local-file-system.js';
import { fileThreads } from './thread-share.js';

/** A folder of this machine. */
export interface LocalLocation {
  readonly scheme: 'fs';
  /** Absolute. */
  readonly path: string;
}

/** Stores in folders of this machine. */
export const local: Backend<LocalLocation> = {
  schemes: ['fs'],
  form: "a folder's path, fs:///path",

  parse(text, surroundings) {
    if (text.startsWith('@')) {
      const problem = "@ names a store in plakar's configuration, which the gateway doesn't read: name its location";
      throw new StoreError('invalid_argument', problem);
    }
    // plakar writes fs:/path, too.
    const [, path] = /^fs:(?:\/\/)?(.*)$/is.exec(text) ?? [];
    if (path === undefined) return { scheme: 'fs', path: resolvePath(text, surroundings) };
    if (isAbsolute(path)) return { scheme: 'fs', path: resolve(path) };
    throw new StoreError('invalid_argument', 'after fs:// comes an absolute path, as in fs:///var/backups');
  },

  format: ({ path }) => path,

  async open({ path }, options, log) {
    try {
      const files = guardedFileSystem(new LocalFileSystem(path), fileThreads.share());
      const store = await FileStore.open(files, options);
      if (options.trashes === true && options.writable) await warnOfOtherDisks(path, log);
      return store;
    } catch (error) {
      throw forOperator(error);
    }
  },

  async create({ path }, config, options) {
    const files = guardedFileSystem(new LocalFileSystem(path), fileThreads.share());
    try {
      await makeRoot(path, options.durable);
      await makeFolders(files, options);
      await makeConfig(files, config, options);
    } catch (error) {
      throw forOperator(error);
    } finally {
      await files.close();
    }
  },
};

/** Makes a store's folder, and those above it. */
async function makeRoot(path: string, durable: boolean): Promise<void> {
  const above = new LocalFileSystem(dirname(path));
  const make = (): Promise<void> => above.makeFolder(basename(path), folderMode);
  try {
    await make().catch(async (error: unknown) => {
      if (!hasCode(error, 'not_found') || dirname(path) === path) throw error;
      await makeRoot(dirname(path), durable);
      await make();
    });
    if (durable) await above.syncFolder('.');
  } catch (error) {
    if (!hasCode(error, 'already_exists')) throw error;
  }
}

/** For the operator, whom the cause tells more: it names the path. That of a StoreError is another one, which it explains. */
function forOperator(error: unknown): StoreError {
  const { code, message, cause } = StoreError.from(error);
  const isExplained = !(cause instanceof Error) || cause instanceof StoreError;
  return new StoreError(code, isExplained ? message : cause.message, { cause });
}

/** Warns of objects that can't be moved to the trash, as it is on another disk. Never fails. */
async function warnOfOtherDisks(path: string, log: Logger): Promise<void> {
  const deviceOf = async (folder: string): Promise<number | undefined> =>
    (await stat(join(path, folder)).catch(() => undefined))?.dev;
  const device = await deviceOf(trashFolder);
  if (device === undefined) return;
  for (const kind of trashedKinds) {
    const found = await deviceOf(kindFolder(kind));
    if (found === undefined || found === device) continue;
    log.warn(
      { path },
      `deletes of ${kind}s will fail: ${join(path, kindFolder(kind))} is on another disk than the store's trash, ` +
        `${join(path, trashFolder)}. Keep both on one disk, or leave out the setting \`trash\`.`,
    );
  }
}
