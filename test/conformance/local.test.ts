import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../../src/backends/open-store.js';
import { host } from '../support/gateway.js';
import { emptyStore } from '../support/temp.js';
import { describeStore, maxObjectBytes } from './store-suite.js';

for (const durable of [true, false]) {
  describeStore(
    `a local store, ${durable ? 'synced' : 'not synced'}`,
    async () => {
      const folder = await emptyStore();
      const store = await openStore({ scheme: 'fs', path: folder }, { durable, maxObjectBytes, host });
      return { store, folder, config: await readFile(join(folder, 'CONFIG')), close: () => store.close() };
    },
    { onDisk: true },
  );
}
