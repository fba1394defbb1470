import { ServerCredentials, type ConnectionInjector, type Metadata, type Server } from '@grpc/grpc-js';
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { peerOf } from '../../core/peer.js';
import type { Logger } from '../../lib/logger.js';
import { guardSession, type Http2Limits } from '../http2-sessions.js';
import type { CallOrigin, Connection } from './call.js';

/**
 * The receive window of a connection, and of each of its streams, in bytes. With HTTP/2's default of 64 KiB an upload gets 3 MB/s through
 * at 20 ms of round trip. grpc-go's grows by itself, to 16 MiB.
 */
export const windowBytes = 8 * 1024 * 1024;

/** The header that carries a call's number to its handler. What a client sends under this name is overwritten. */
const callNumberHeader = 'kloset-call-number';

/**
 * The HTTP/2 connections of a grpc-js server: enforces their limits, enlarges their receive windows, and tells handlers which
 * connection a call came on. TLS, where it is used, has ended before.
 */
export class Http2Connections {
  private readonly injector: ConnectionInjector;
  private readonly http2: Http2Server;
  private readonly origins = new Map<string, CallOrigin>();
  private lastNumber = 0;

  /** @param server has no other connections */
  constructor(
    server: Server,
    private limits: Http2Limits,
    log: Logger,
  ) {
    this.injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    this.http2 = http2ServerOf(server);
    this.setLimits(limits);
    this.http2.on('session', (session) => {
      // Some of plakar's clients bind a connection to a store, so a connection stays open once it was used.
      guardSession(session, { ...this.limits, windowBytes, idleOnlyAtFirst: true }, log);
      const connection: Connection = { peer: peerOf(session.socket) };
      // Prepended: grpc-js must not have read the headers yet.
      session.prependListener('stream', (stream, headers) => this.onStream(stream, headers, connection));
    });
  }

  accept(connection: Duplex): void {
    this.injector.injectConnection(connection);
  }

  /** Changes the limits for new connections. */
  setLimits(limits: Http2Limits): void {
    this.limits = limits;
    this.http2.updateSettings({
      maxConcurrentStreams: limits.maxStreams,
      maxHeaderListSize: limits.maxHeaderBytes,
      initialWindowSize: windowBytes,
    });
  }

  /** Where the call with this metadata came from; undefined once its HTTP/2 stream is closed. */
  originOf(metadata: Metadata): CallOrigin | undefined {
    return this.origins.get(String(metadata.get(callNumberHeader)[0]));
  }

  private onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: Connection): void {
    const number = String(++this.lastNumber);
    headers[callNumberHeader] = number;
    this.origins.set(number, { connection, stream });
    stream.once('close', () => this.origins.delete(number));
    dropHugeTimeout(headers);
  }
}

/**
 * The HTTP/2 server inside a grpc-js server that has one injector. This is the one use of a private field of grpc-js: its server has no
 * option for HTTP/2 receive windows (https://github.com/grpc/grpc-node/pull/3058 would add one). With the default of 64 KiB, an upload
 * takes 11 times as long at 20 ms of round trip. Throws where an update of grpc-js changed the field.
 */
function http2ServerOf(server: Server): Http2Server {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  const [http2] = servers instanceof Map ? servers.keys() : [];
  if (http2 === undefined) throw new Error('grpc-js keeps its HTTP/2 server elsewhere than before');
  return http2;
}

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * Removes a timeout of more than 24 days: grpc-js (1.14.7) computes it in 32 bits, and takes many of those for deadlines in the past.
 * Format: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
function dropHugeTimeout(headers: IncomingHttpHeaders): void {
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(String(headers['grpc-timeout'])) ?? [];
  if (Number(digits) * (unitMs[unit] ?? 0) >= 2 ** 31) delete headers['grpc-timeout'];
}
