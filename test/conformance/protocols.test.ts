import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { openThrough } from './open-through.js';
import { describeStore } from './store-suite.js';

describeStore('a local store through HTTP', () => openThrough(({ httpPort }) => new HttpStore(httpPort)), {
  onDisk: true,
  hides: ['created', 'objectSize'],
});

describeStore('a local store through gRPC', () => openThrough(({ grpcPort }) => new GrpcStore(grpcPort)), {
  onDisk: true,
  seenAs: (code) => (code === 'too_large' ? 'invalid_argument' : code),
});
