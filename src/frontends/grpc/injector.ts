import type { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Http2Server, IncomingHttpHeaders } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Logger } from '../../lib/logger.js';
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
  // Before grpc-js reads them.
  http2.prependListener('stream', (_stream, headers) => dropHugeTimeout(headers));
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

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * Makes a deadline of more than 24 days none at all: grpc-js 1.14.7 counts in 32 bits, and takes many of them for past ones.
 * (The header: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md)
 */
function dropHugeTimeout(headers: IncomingHttpHeaders): void {
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(String(headers['grpc-timeout'])) ?? [];
  if (Number(digits) * (unitMs[unit] ?? 0) >= 2 ** 31) delete headers['grpc-timeout'];
}
