import { HttpV10Store } from '../support/http-v1.0-store.js';
import { openThrough } from './open-through.js';
import { describeStore } from './store-suite.js';

describeStore('a local store through HTTP 1.0', () => openThrough(({ httpPort }) => new HttpV10Store(httpPort)), {
  onDisk: true,
  hides: ['created', 'objectSize'],
});
