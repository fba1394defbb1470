import { MemoryStore } from '../support/memory-store.js';
import { makeObject } from '../support/objects.js';
import { describeStore, maxObjectBytes } from './store-suite.js';

describeStore(
  'a store in memory',
  async () => {
    const config = makeObject('packfile', 100, 'config');
    const store = new MemoryStore(config, maxObjectBytes);
    return { store, config, close: () => store.close() };
  },
  { onDisk: false },
);
