import type { OutgoingHttpHeaders } from 'node:http';
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Logger } from '../lib/logger.js';
import { peerOf } from '../core/peer.js';

/** How long a client may take to close a connection after GOAWAY, in milliseconds. */
const closeTimeoutMs = 1000;

/** How long a closed stream may take to hand its last bytes to the socket, in milliseconds. */
const flushTimeoutMs = 30_000;

/** The limits of HTTP/2 connections. */
export interface Http2Limits {
  /** All bytes of a request's header section. */
  readonly maxHeaderBytes: number;
  /** How long a connection may be idle, in milliseconds. */
  readonly idleMs: number;
  /** Concurrent streams of one connection, and how many a client may reset in ten seconds. */
  readonly maxStreams: number;
  readonly maxResets: number;
}

export interface SessionLimits extends Pick<Http2Limits, 'idleMs' | 'maxResets'> {
  /**
   * The receive window of the connection for all its streams together, in bytes: an upload gets no more than that through in a round trip.
   * A client may fill it before the store takes anything.
   */
  readonly windowBytes: number;
  /** Whether `idleMs` counts only until the first stream: some clients keep state with their connection. */
  readonly idleOnlyAtFirst: boolean;
}

/** The time over which resets are counted, in milliseconds. */
const resetWindowMs = 10_000;

/**
 * Holds an HTTP/2 connection to its limits: of idle time, and of stream resets. A client that opens streams and resets them at once
 * causes work without ever reaching the limit of concurrent streams (CVE-2023-44487).
 */
export function guardSession(session: ServerHttp2Session, limits: SessionLimits, log: Logger): void {
  let open = 0;
  let resets = 0;
  let windowStartMs = 0;
  let isCalmed = false;
  const caller = peerOf(session.socket).address;
  session.setLocalWindowSize(limits.windowBytes);
  const closeIdle = (): void => {
    if (open > 0 || session.closed) return;
    session.goaway();
    // session.close() would wait for the client without a limit.
    idle = setTimeout(() => {
      if (open === 0) session.destroy(new Error('the connection is idle'), constants.NGHTTP2_NO_ERROR);
    }, closeTimeoutMs);
  };
  // The session's own timeout doesn't fire any more once the client has sent what is not HTTP/2.
  let idle = setTimeout(closeIdle, limits.idleMs);
  session.once('close', () => clearTimeout(idle));
  // Every error is followed by `close`.
  session.on('error', () => undefined);
  session.on('stream', (stream) => {
    open++;
    clearTimeout(idle);
    closeWhenReset(stream);
    stream.once('close', () => {
      if (--open === 0 && !limits.idleOnlyAtFirst && !session.destroyed) idle = setTimeout(closeIdle, limits.idleMs);
      // Resets with any code count, and those that the client makes the gateway send.
      if (!stream.aborted && stream.writableFinished) return;
      const now = performance.now();
      if (now - windowStartMs > resetWindowMs) {
        windowStartMs = now;
        resets = 0;
      }
      if (++resets <= limits.maxResets || isCalmed || session.destroyed) return;
      isCalmed = true;
      log.warn({ caller, resets }, 'a client exceeded the limit of stream resets: disconnected');
      const code = constants.NGHTTP2_ENHANCE_YOUR_CALM;
      // Destroyed in the same turn, the session often loses this GOAWAY; and without an error Node would send NO_ERROR.
      session.goaway(code);
      setImmediate(() => session.destroy(new Error('too many stream resets'), code));
    });
  });
}

/** Streams whose end goes with their last bytes. */
const endingWithData = new WeakSet<ServerHttp2Stream>();

/**
 * Begins a response that ends with its last bytes, and has no trailers. Node's own `writeHead` leaves room for them, and sends the end in a
 * frame of its own: a client that has all the bytes (Go's) may reset the stream before, and Node ends a connection for 1,000 resets.
 */
export function respond(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders): void {
  endingWithData.add(stream);
  stream.respond(headers);
}

/**
 * Destroys a stream that its client has reset, whatever the code. With NO_ERROR Node keeps it, and its pending writes, until the
 * connection ends.
 */
function closeWhenReset(stream: ServerHttp2Stream): void {
  // In a microtask: where this side closed the stream, its RST_STREAM has yet to be sent.
  const close = (): void =>
    queueMicrotask(() => {
      if (!stream.closed || stream.destroyed) return;
      // It may as well have ended, while the socket has yet to take its last bytes.
      const mayHaveEnded =
        endingWithData.has(stream) && !stream.aborted && stream.rstCode === constants.NGHTTP2_NO_ERROR;
      if (!mayHaveEnded) return void stream.destroy();
      // Node doesn't look again when they are taken, and keeps the stream.
      const limit = setTimeout(() => stream.destroy(), flushTimeoutMs);
      stream.once('finish', () => stream.destroy()).once('close', () => clearTimeout(limit));
    });
  // Node emits the first where the response hasn't ended, and the second where the request hasn't been read to its end.
  stream.once('aborted', close).once('end', close);
}
