import * as http from 'node:http';
import * as http2 from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Peer } from '../../core/caller.js';
import type { Logger } from '../../core/logger.js';
import { peerOf } from '../../core/peer.js';
import { HttpResponse } from './response.js';
import { guardSession, streamWindowBytes } from '../http2-sessions.js';

export interface ConnectionLimits {
  /** All bytes of a request's headers, and how long they may take, in milliseconds. */
  readonly maxHeaderBytes: number;
  readonly headerTimeoutMs: number;
  /** How long a connection may be idle between requests, in milliseconds. */
  readonly idleMs: number;
  /** Streams of one HTTP/2 connection at once, and how many a client may reset in ten seconds. */
  readonly maxStreams: number;
  readonly maxResets: number;
}

/** A connection on which nothing moves for so long, in either direction, is dead. In milliseconds. */
const deadMs = 300_000;

/** How often headers that take too long are looked for, in milliseconds. */
const headerCheckMs = 1000;

/** How often connections are looked for that became idle while closing. In milliseconds. */
const closingPollMs = 50;

/** Answers a request of either version. */
export type HttpListener = (request: http.IncomingMessage, response: http.ServerResponse, peer: Peer) => void;

/** The HTTP connections of a frontend: HTTP/1.1, and HTTP/2 where TLS has negotiated it. */
export class HttpConnections {
  private readonly sockets = new Set<Socket>();
  private readonly sessions = new Map<http2.Http2Session, Peer>();
  private readonly http1: Http1Server;
  private readonly http2: http2.Http2Server;
  private closed: Promise<void> | undefined;

  constructor(
    private limits: ConnectionLimits,
    log: Logger,
    onRequest: HttpListener,
  ) {
    this.http1 = http1Server((request, response) => onRequest(request, response, peerOf(request.socket)));
    this.http2 = http2Server((request, response) => {
      const peer = request.stream.session && this.sessions.get(request.stream.session);
      // The connection may be gone before its request is looked at.
      if (peer === undefined) return response.stream.destroy();
      // Node holds a client to the size that it was told only once the client has said that it knows it.
      if (sizeOf(request.rawHeaders) > this.limits.maxHeaderBytes) return answerTooLarge(response);
      // What differs between the requests of the two is looked at in Exchange.
      onRequest(request as unknown as http.IncomingMessage, response as unknown as http.ServerResponse, peer);
    });
    this.setLimits(limits);
    this.http2.on('session', (session) => {
      guardSession(session, { ...this.limits, idleOnlyAtFirst: false }, log);
      this.sessions.set(session, peerOf(session.socket));
      session.once('close', () => this.sessions.delete(session));
      if (this.closed) session.close();
    });
  }

  /** Changes the limits, for the connections that come from now on. */
  setLimits(limits: ConnectionLimits): void {
    this.limits = limits;
    const { http1 } = this;
    // Longer than Go's clients keep an idle connection (90 s): a PUT on one that was closed meanwhile can't be retried.
    http1.keepAliveTimeout = limits.idleMs;
    http1.headersTimeout = limits.headerTimeoutMs;
    // Node looks at it for each connection, and its types don't know that.
    (http1 as { maxHeaderSize?: number }).maxHeaderSize = limits.maxHeaderBytes;
    this.http2.updateSettings({
      maxConcurrentStreams: limits.maxStreams,
      maxHeaderListSize: limits.maxHeaderBytes,
      initialWindowSize: streamWindowBytes,
      enablePush: false,
    });
  }

  accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    const overHttp2 = 'alpnProtocol' in socket && socket.alpnProtocol === 'h2';
    (overHttp2 ? this.http2 : this.http1).emit('connection', socket);
  }

  /** Lets running requests finish for `graceMs` milliseconds, then breaks them off. Resolves when no connection is left. */
  async close(graceMs: number): Promise<void> {
    this.closed ??= this.drain();
    const limit = setTimeout(() => this.sockets.forEach((socket) => socket.destroy()), graceMs);
    await this.closed;
    clearTimeout(limit);
  }

  private async drain(): Promise<void> {
    for (const session of this.sessions.keys()) session.close();
    while (this.sockets.size > 0) {
      this.http1.closeIdleConnections();
      // Node takes one on which nothing ever came for busy. Go's clients have such: they dial ahead.
      for (const socket of this.sockets) if (socket.bytesRead === 0) socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, closingPollMs));
    }
    // Neither ever listened, so all that they say is that; what they still have are timers.
    this.http1.close(() => undefined);
    this.http2.close(() => undefined);
  }
}

type Http1Server = http.Server<typeof http.IncomingMessage, typeof HttpResponse>;

function http1Server(onRequest: (request: http.IncomingMessage, response: HttpResponse) => void): Http1Server {
  // Node's default time for a request would cut every upload at five minutes. Who trickles is cut by the pace.
  const server = http.createServer(
    { ServerResponse: HttpResponse, connectionsCheckingInterval: headerCheckMs, requestTimeout: 0 },
    onRequest,
  );
  // Whether a body is wanted is known only when the request has been looked at.
  server.on('checkContinue', onRequest);
  server.on('clientError', answerUnparsable);
  server.timeout = deadMs;
  // It only gets connections; what Node starts with its listening is the check of the headers' time.
  server.emit('listening');
  return server;
}

/**
 * Node's own limit of 10 MB for what is on its way in a connection refuses requests where some large objects are. That is bounded by
 * the number of streams and what each has under way.
 */
const unlimitedMiB = 1024 * 1024;

type Http2Listener = (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void;

function http2Server(onRequest: Http2Listener): http2.Http2Server {
  const server = http2.createServer({ maxSessionMemory: unlimitedMiB }, onRequest);
  server.on('checkContinue', onRequest);
  return server;
}

/** The size of headers as HTTP/2 counts it (RFC 9113, 6.5.2). */
function sizeOf(rawHeaders: readonly string[]): number {
  return rawHeaders.reduce((size, text) => size + text.length + 16, 0);
}

function answerTooLarge(response: http2.Http2ServerResponse): void {
  response.writeHead(431, { 'content-type': 'text/plain; charset=utf-8' });
  response.end('the headers are too large\n');
}

/** What isn't HTTP, or has headers beyond every measure: there is no request to answer, only a connection. */
function answerUnparsable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [line, text] = unparsable[error.code ?? ''] ?? ['400 Bad Request', 'this is not an HTTP/1.1 request\n'];
  const headers = `Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${text.length}`;
  socket.end(`HTTP/1.1 ${line}\r\n${headers}\r\n\r\n${text}`);
}

const unparsable: Readonly<Record<string, readonly [line: string, text: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers are too large\n'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the headers took too long\n'],
};
