import type { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Http2Server } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Logger } from '../../core/logger.js';
import { guardSession, streamWindowBytes } from '../http2-sessions.js';

/** A way into a gRPC server for connections that somebody else accepted. */
export interface Injector {
  accept(connection: Duplex): void;
  /** Changes the limits, for the connections that come from now on. */
  setLimits(limits: InjectorLimits): void;
}

export interface InjectorLimits {
  /** How long a connection may stay on which no call was ever made, in milliseconds. */
  readonly idleMs: number;
  /** All bytes of a call's metadata. */
  readonly maxHeaderBytes: number;
  /** Calls of one connection at once, and how many a client may reset in ten seconds. */
  readonly maxStreams: number;
  readonly maxResets: number;
}

/** Makes a server take connections, and holds these to their limits. TLS, where there is any, is behind them. */
export function createInjector(
  server: Server,
  credentials: ServerCredentials,
  initial: InjectorLimits,
  log: Logger,
): Injector {
  const injector = server.createConnectionInjector(credentials);
  const http2 = http2ServerOf(server);
  let limits = initial;
  const setLimits = (next: InjectorLimits): void => {
    limits = next;
    http2.updateSettings({
      maxConcurrentStreams: limits.maxStreams,
      maxHeaderListSize: limits.maxHeaderBytes,
      initialWindowSize: streamWindowBytes,
    });
  };
  setLimits(initial);
  // Some of plakar's clients bind a connection to a store, so one that is in use stays however long it is silent.
  http2.on('session', (session) => guardSession(session, { ...limits, idleOnlyAtFirst: true }, log));
  return { accept: (connection) => injector.injectConnection(connection), setLimits };
}

/**
 * The HTTP/2 server inside a gRPC server that has one injector. grpc-js has no options for its windows, and passes no connection
 * on; so this reaches into it (grpc-js 1.14.7), and throws should that change.
 */
function http2ServerOf(server: Server): Http2Server {
  const { http2Servers } = server as unknown as { http2Servers?: ReadonlyMap<Http2Server, unknown> };
  const [http2] = http2Servers?.keys() ?? [];
  if (http2 === undefined) throw new Error('a gRPC server without its HTTP/2 server');
  return http2;
}
