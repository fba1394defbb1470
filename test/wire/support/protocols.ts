import type { Store } from '../../../src/core/store.js';
import type { ClientOptions } from '../../support/client-options.js';
import { GrpcStore } from '../../support/grpc-store.js';
import { Http2Store } from '../../support/http2-store.js';
import { HttpStore } from '../../support/http-store.js';
import { HttpV10Store } from '../../support/http-v1.0-store.js';
import { PlakarStore } from '../../support/plakar-store.js';
import { ReadRangesStore, SharedReadRangesStore } from '../../support/read-ranges-store.js';

/** One way to speak to a gateway. */
export interface Protocol {
  readonly name: string;
  /** Whose listeners it is spoken at. */
  readonly frontend: 'http' | 'grpc';
  readonly tls: boolean;
  /** A client of a store. May fail as any request can. */
  readonly connect: (port: number, options: ClientOptions) => Store | Promise<Store>;
}

/** Every protocol and generation that a gateway speaks. */
export const protocols: readonly Protocol[] = [
  {
    name: 'HTTP 1.1',
    frontend: 'http',
    tls: false,
    connect: (port, options) => new HttpStore(port, options),
  },
  {
    name: 'HTTP 1.1 over TLS and HTTP/2',
    frontend: 'http',
    tls: true,
    connect: (port, options) => new Http2Store(port, options),
  },
  {
    name: 'HTTP 1.0',
    frontend: 'http',
    tls: false,
    connect: (port, options) => new HttpV10Store(port, options),
  },
  {
    name: 'gRPC',
    frontend: 'grpc',
    tls: false,
    connect: (port, options) => new GrpcStore(port, options),
  },
  {
    name: 'ReadRanges',
    frontend: 'grpc',
    tls: false,
    connect: (port, options) => new ReadRangesStore(port, options),
  },
  {
    name: 'ReadRanges, sharing messages',
    frontend: 'grpc',
    tls: false,
    connect: (port, options) => new SharedReadRangesStore(port, options),
  },
  {
    name: "plakar's gRPC",
    frontend: 'grpc',
    tls: false,
    connect: (port, { store = '', ...options }) =>
      PlakarStore.open(port, { location: `grpc://gateway/${store}` }, options),
  },
];
