import { isAbsolute, resolve } from 'node:path';
import { StoreError } from '../../core/errors.js';
import { resolvePath } from '../../lib/paths.js';
import type { Backend } from '../backend.js';
import { FileStore } from '../files/file-store.js';
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

  async open({ path }, options) {
    try {
      return await FileStore.open(guardedFileSystem(new LocalFileSystem(path), fileThreads.share()), options);
    } catch (error) {
      // For the operator, whom the cause tells more: it names the path.
      const { code, message, cause } = StoreError.from(error);
      throw new StoreError(code, cause instanceof Error ? cause.message : message, { cause });
    }
  },
};
