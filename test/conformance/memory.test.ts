import { MemoryStore } from '../support/memory-store.js';
import { makeObject } from '../support/objects.js';
import { describeStore, maxObjectBytes } from './store-suite.js';

describeStore(
  'a store in memory',
  async () => {
    const config = makeObject('packfile', 100, 'config');
    const store = new MemoryStore(config, maxObjectBytes);
    const fill = async (): Promise<() => Promise<void>> => {
      store.capacity = 0;
      return async () => void (store.capacity = Infinity);
    };
    return { store, config, fill, close: () => store.close() };
  },
  { onDisk: false },
);
