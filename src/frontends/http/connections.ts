import * as http2 from 'node:http2';
import type { Socket } from 'node:net';
import type { Peer } from '../../core/caller.js';
import type { Logger } from '../../lib/logger.js';
import { peerOf } from '../../core/peer.js';
import { guardSession, streamWindowBytes } from '../http2-sessions.js';
import type { Http1Limits } from './http1/connection.js';
import { Http1Server } from './http1/server.js';
import { Http2Stream } from './http2/http2-stream.js';
import type { HttpStream } from './stream.js';

export interface ConnectionLimits extends Http1Limits {
  /** Streams of one HTTP/2 connection at once, and how many a client may reset in ten seconds. */
  readonly maxStreams: number;
  readonly maxResets: number;
}

/** Answers a request of either version. */
export type HttpListener = (stream: HttpStream, peer: Peer) => void;

/** The HTTP connections of a frontend: HTTP/1.1, and HTTP/2 where TLS has negotiated it. */
export class HttpConnections {
  private readonly sockets = new Set<Socket>();
  private readonly sessions = new Map<http2.Http2Session, Peer>();
  private readonly http1: Http1Server;
  private readonly http2: http2.Http2Server;
  private closed: Promise<void> | undefined;
  private onLast = (): void => undefined;

  constructor(
    private limits: ConnectionLimits,
    log: Logger,
    onRequest: HttpListener,
  ) {
    this.http1 = new Http1Server(limits, (stream, socket) => onRequest(stream, peerOf(socket)));
    this.http2 = http2Server((request, response) => {
      const peer = request.stream.session && this.sessions.get(request.stream.session);
      // The connection may be gone before its request is looked at.
      if (peer === undefined) return response.stream.destroy();
      // Node holds a client to the size that it was told only once the client has said that it knows it.
      if (sizeOf(request.rawHeaders) > this.limits.maxHeaderBytes) return answerTooLarge(response);
      onRequest(new Http2Stream(request, response), peer);
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
    this.http1.limits = limits;
    this.http2.updateSettings({
      maxConcurrentStreams: limits.maxStreams,
      maxHeaderListSize: limits.maxHeaderBytes,
      initialWindowSize: streamWindowBytes,
      enablePush: false,
    });
  }

  accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => {
      this.sockets.delete(socket);
      if (this.sockets.size === 0) this.onLast();
    });
    if ('alpnProtocol' in socket && socket.alpnProtocol === 'h2') this.http2.emit('connection', socket);
    else this.http1.accept(socket);
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
    this.http1.close();
    if (this.sockets.size > 0) await new Promise<void>((resolve) => (this.onLast = resolve));
    // It never listened, so all that it says is that; what it still has are timers.
    this.http2.close(() => undefined);
  }
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
