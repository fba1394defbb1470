import { PlakarStore } from '../support/plakar-store.js';
import { openThrough } from './open-through.js';
import { describeStore } from './store-suite.js';

describeStore(
  "a local store through plakar's gRPC protocol",
  () => openThrough(({ grpcPort }) => PlakarStore.open(grpcPort)),
  {
    onDisk: true,
    hides: ['created', 'objectSize'],
  },
);
