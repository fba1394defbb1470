import { GrpcStore } from '../support/grpc-store.js';
import { Http2Store } from '../support/http2-store.js';
import { HttpStore } from '../support/http-store.js';
import { HttpV10Store } from '../support/http-v1.0-store.js';
import { PatientStore } from '../support/patient-store.js';
import { PlakarStore } from '../support/plakar-store.js';
import { ReadRangesStore, SharedReadRangesStore } from '../support/read-ranges-store.js';
import { openThrough, openThroughTls, withUndo } from './open-through.js';
import { overGrpc, overHttp, overHttpV10, overPlakarGrpc, overReadRanges } from './protocol-options.js';
import { describeStore } from './store-suite.js';

describeStore('a local store through HTTP', () => openThrough(({ httpPort }) => new HttpStore(httpPort)), overHttp);

describeStore(
  'a local store through HTTP over TLS',
  () => openThroughTls(({ httpPort }, ca) => new HttpStore(httpPort, { tls: { ca } })),
  overHttp,
);

describeStore(
  'a local store through HTTP/2 over TLS',
  () => openThroughTls(({ httpPort }, ca) => new Http2Store(httpPort, { tls: { ca } })),
  overHttp,
);

describeStore(
  'a local store with a retention and a trash through HTTP 1.0',
  () => openThrough(({ httpPort }) => new PatientStore(new HttpV10Store(httpPort)), withUndo),
  overHttpV10,
);

describeStore(
  'a local store with a retention and a trash through gRPC',
  () => openThrough(({ grpcPort }) => new PatientStore(new GrpcStore(grpcPort)), withUndo),
  overGrpc,
);

describeStore(
  'a local store through ReadRanges',
  () => openThrough(({ grpcPort }) => new ReadRangesStore(grpcPort)),
  overReadRanges,
);

describeStore(
  'a local store through ReadRanges that share messages',
  () => openThrough(({ grpcPort }) => new SharedReadRangesStore(grpcPort)),
  overReadRanges,
);

describeStore(
  "a local store through plakar's gRPC protocol",
  () => openThrough(({ grpcPort }) => PlakarStore.open(grpcPort)),
  overPlakarGrpc,
);
