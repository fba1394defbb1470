import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore } from '../../src/backends/files/file-store.js';
import { guardedFileSystem } from '../../src/backends/local/guarded-file-system.js';
import { LocalFileSystem } from '../../src/backends/local/local-file-system.js';
import { fileThreads } from '../../src/backends/local/thread-share.js';
import { host } from '../support/gateway.js';
import { emptyStore } from '../support/temp.js';
import { describeStore, maxObjectBytes, type Target } from './store-suite.js';

async function open(
  durable: boolean,
  { trashes = false, filesIn = (folder: string) => new LocalFileSystem(folder) } = {},
): Promise<Target> {
  const folder = await emptyStore();
  const files = guardedFileSystem(filesIn(folder), fileThreads.share());
  const store = await FileStore.open(files, { durable, maxObjectBytes, host, trashes });
  return { store, folder, config: await readFile(join(folder, 'CONFIG')), close: () => store.close() };
}

// One without a trash that is synced is behind the protocols: protocols.test.ts.
describeStore('a local store with a trash, synced', () => open(true, { trashes: true }), { onDisk: true });
describeStore('a local store, not synced', () => open(false), { onDisk: true });

/** Tells every folder's version at once, where a real file system has to keep it to itself for a moment after a change. */
class TellingFileSystem extends LocalFileSystem {
  override async folderVersion(path: string): Promise<string> {
    return JSON.stringify(await this.list(path));
  }
}

describeStore(
  'a local store whose lists are remembered at once',
  () => open(false, { filesIn: (folder) => new TellingFileSystem(folder) }),
  { onDisk: true },
);
