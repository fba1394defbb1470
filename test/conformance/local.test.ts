import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore } from '../../src/backends/files/file-store.js';
import { LocalFileSystem } from '../../src/backends/local/local-file-system.js';
import { host } from '../support/gateway.js';
import { emptyStore } from '../support/temp.js';
import { describeStore, maxObjectBytes } from './store-suite.js';

for (const durable of [true, false]) {
  describeStore(
    `a local store, ${durable ? 'synced' : 'not synced'}`,
    async () => {
      const folder = await emptyStore();
      const store = await FileStore.open(new LocalFileSystem(folder), { durable, maxObjectBytes, host });
      return { store, folder, config: await readFile(join(folder, 'CONFIG')), close: () => store.close() };
    },
    { onDisk: true },
  );
}
