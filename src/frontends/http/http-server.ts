import * as http from 'node:http';
import * as http2 from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fastify, type FastifyInstance, type FastifyServerOptions } from 'fastify';
import type { Peer } from '../../core/caller.js';
import { peerOf } from '../../core/peer.js';
import type { Logger } from '../../lib/logger.js';
import { guardSession, type Http2Limits } from '../http2-sessions.js';
import { answerClientError } from './client-error.js';
import { isHttp2, type RawRequest, type RawResponse } from './raw.js';

export interface ConnectionLimits extends Http2Limits {
  /** How long a request's header section may take to arrive, in milliseconds. */
  readonly headerTimeoutMs: number;
}

/** Routes a request of either version: fastify's handler. */
type RequestListener = (request: RawRequest, response: RawResponse) => void;

/** What is known of an HTTP/1.1 connection. */
interface Connection {
  /** Of the requests that have arrived, in their order: the first one is being answered, and the others wait for that. */
  readonly responses: Set<http.ServerResponse>;
  /** How many bytes it had received when it last became idle. */
  idleAtBytes: number;
}

/** A connection with this many requests is not read until some of them are answered. */
const maxPipelined = 16;

/** How often Node looks for connections over their header timeout, in milliseconds. */
const checkIntervalMs = 1000;

/**
 * Node refuses requests on an HTTP/2 connection that has more than 10 MB in memory, which a few large downloads reach. The number of
 * streams, and what each may buffer, bound the memory instead.
 */
const sessionMemoryMiB = 1024 * 1024;

/**
 * The receive window of an HTTP/2 connection, and of each of its streams, in bytes: twice that of plakar's server. With 8 MiB a backup takes
 * as long, and 40 MiB more memory.
 */
const windowBytes = 2 * 1024 * 1024;

/**
 * Node's HTTP/1.1 and HTTP/2 servers around a fastify instance. They never listen: connections that a listener has accepted, TLS
 * included, are handed to the one whose version was negotiated.
 */
export class HttpServer {
  /** Its requests come from the servers here: its own one never gets a connection. */
  readonly app: FastifyInstance;
  private readonly onRequest: RequestListener;
  private readonly connections = new Map<Socket, Connection>();
  private readonly sessions = new Map<http2.Http2Session, Peer>();
  private readonly http2: http2.Http2Server;
  private http1: http.Server;
  /** Those of earlier header limits, whose connections are still open. */
  private readonly former: http.Server[] = [];
  private closed: Promise<void> | undefined;

  constructor(
    private limits: ConnectionLimits,
    log: Logger,
    options: FastifyServerOptions = {},
  ) {
    this.app = fastify(options);
    this.onRequest = this.app.routing as RequestListener;
    this.http1 = this.createHttp1();
    this.http2 = http2.createServer({ maxSessionMemory: sessionMemoryMiB });
    this.http2.on('request', (request, response) => this.handleHttp2(request, response));
    this.http2.on('checkContinue', (request, response) => this.handleHttp2(request, response));
    this.http2.on('session', (session) => {
      guardSession(session, { ...this.limits, windowBytes, idleOnlyAtFirst: false }, log);
      this.sessions.set(session, peerOf(session.socket));
      session.once('close', () => this.sessions.delete(session));
      if (this.closed) session.close();
    });
    this.setLimits(limits);
  }

  /** Changes the limits for new connections. */
  setLimits(limits: ConnectionLimits): void {
    const isSameSize = limits.maxHeaderBytes === this.limits.maxHeaderBytes;
    this.limits = limits;
    if (!isSameSize) {
      this.former.push(this.http1);
      this.http1 = this.createHttp1();
    }
    this.http1.headersTimeout = limits.headerTimeoutMs;
    this.http1.keepAliveTimeout = limits.idleMs;
    this.http2.updateSettings({
      maxConcurrentStreams: limits.maxStreams,
      maxHeaderListSize: limits.maxHeaderBytes,
      initialWindowSize: windowBytes,
      enablePush: false,
    });
  }

  /** Serves a connection whose peer is known, after its TLS handshake if there is one. */
  accept(socket: Socket): void {
    // A lost connection has had its 'close' event: nothing would remove it again.
    if (socket.destroyed) return;
    const connection: Connection = { responses: new Set(), idleAtBytes: socket.bytesRead };
    this.connections.set(socket, connection);
    socket.once('close', () => {
      this.connections.delete(socket);
      const [current] = connection.responses;
      // Node doesn't tell a response that the connection was lost before it could send anything.
      queueMicrotask(() => {
        if (current !== undefined && connection.responses.has(current)) current.emit('close');
      });
    });
    const negotiated = 'alpnProtocol' in socket ? socket.alpnProtocol : undefined;
    (negotiated === 'h2' ? this.http2 : this.http1).emit('connection', socket);
  }

  /** The other end of a request's connection; undefined where that is gone already. */
  peerOf(request: RawRequest): Peer | undefined {
    if (!isHttp2(request)) return peerOf(request.socket);
    return request.stream.session && this.sessions.get(request.stream.session);
  }

  /** Lets running requests finish for `graceMs` milliseconds, then destroys what is left. Resolves when no connection is open. */
  async close(graceMs: number): Promise<void> {
    this.closed ??= this.drain();
    const limit = setTimeout(() => {
      for (const socket of this.connections.keys()) socket.destroy();
    }, graceMs);
    await this.closed;
    clearTimeout(limit);
  }

  private async drain(): Promise<void> {
    for (const session of this.sessions.keys()) session.close();
    for (const [socket, connection] of this.connections) {
      connection.responses.forEach(announceClose);
      this.destroyIfIdle(socket, connection);
    }
    // Those that come meanwhile, too.
    for (const socket of this.connections.keys()) await new Promise((resolve) => socket.once('close', resolve));
    // Servers that never listened report that as an error; closing them stops their timers.
    for (const server of [...this.former, this.http1, this.http2]) server.close(() => undefined);
  }

  private createHttp1(): http.Server {
    const server = http.createServer({
      maxHeaderSize: this.limits.maxHeaderBytes,
      // A long upload has no limit of its own: the transfer rate is watched instead.
      requestTimeout: 0,
      connectionsCheckingInterval: checkIntervalMs,
    });
    server.on('request', this.handleHttp1);
    server.on('checkContinue', this.handleHttp1);
    const answer = (error: NodeJS.ErrnoException, socket: Duplex): void =>
      answerClientError(error, socket, [...(this.connections.get(socket as Socket)?.responses ?? [])]);
    server.on('clientError', answer);
    server.on('connect', (_request, socket: Duplex) => answer(Object.assign(new Error(), { code: 'CONNECT' }), socket));
    // Node starts the timer behind `headersTimeout` with this event, and this server never listens itself.
    server.emit('listening');
    return server;
  }

  /** Requests of a connection are handled one after the other: a client that sends many and takes no answers costs one. */
  private readonly handleHttp1 = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const { socket } = request;
    const connection = this.connections.get(socket);
    if (connection === undefined) return void socket.destroy();
    const { responses } = connection;
    if (this.closed !== undefined) announceClose(response);
    responses.add(response);
    response.once('close', () => {
      responses.delete(response);
      if (responses.size === maxPipelined - 1) socket.resume();
      const [next] = responses;
      if (next !== undefined && socket.writable) this.onRequest(next.req, next);
      else if (request.complete) this.becameIdle(socket, connection);
      else request.once('end', () => this.becameIdle(socket, connection));
    });
    // Node resumes the socket behind each request that it has parsed.
    if (responses.size >= maxPipelined) queueMicrotask(() => responses.size >= maxPipelined && socket.pause());
    if (responses.size === 1) this.onRequest(request, response);
  };

  private becameIdle(socket: Socket, connection: Connection): void {
    connection.idleAtBytes = socket.bytesRead;
    if (this.closed !== undefined) this.destroyIfIdle(socket, connection);
  }

  private handleHttp2(request: http2.Http2ServerRequest, response: http2.Http2ServerResponse): void {
    // As HTTP/2 counts it (RFC 9113, 6.5.2). Node holds a client to the limit only once the client has acknowledged it.
    const headerBytes = request.rawHeaders.reduce((size, text) => size + text.length + 16, 0);
    if (headerBytes > this.limits.maxHeaderBytes) {
      response.writeHead(431, { 'content-type': 'text/plain; charset=utf-8' }).end('the headers are too large\n');
      return;
    }
    this.onRequest(request, response);
  }

  /** Closes an HTTP/1.1 connection that has no request, nor the beginning of one. */
  private destroyIfIdle(socket: Socket, { responses, idleAtBytes }: Connection): void {
    const isHttp2 = 'alpnProtocol' in socket && socket.alpnProtocol === 'h2';
    if (isHttp2 || responses.size > 0 || socket.bytesRead > idleAtBytes) return;
    socket.destroySoon();
  }
}

/** Tells a client that its connection ends with this response, if that is not on its way. */
function announceClose(response: http.ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}
