import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Logger } from '../lib/logger.js';
import { peerOf } from '../core/peer.js';

/** How long a client may take to end a connection that it was told to end, in milliseconds. */
const partingMs = 1000;

export interface SessionLimits {
  /** How many streams a client may reset in ten seconds. */
  readonly maxResets: number;
  /** How long a connection without a request may stay, in milliseconds. */
  readonly idleMs: number;
  /** Whether that counts only until the first request: some clients depend on their connection. */
  readonly idleOnlyAtFirst: boolean;
}

/** The time over which resets are counted, in milliseconds. */
const resetWindowMs = 10_000;

/**
 * What one upload may have in flight towards us before we have read it, in bytes: by default HTTP/2 has 64 KiB, which holds it to that for
 * each round trip. Clients that are near have as much under way as they may, and it takes memory: with 4 MiB, four uploads of 16 MiB
 * take 40 MiB more, and no less time.
 */
export const streamWindowBytes = 1024 * 1024;

/** The same for all uploads of a connection. */
const connectionWindowBytes = 4 * streamWindowBytes;

/**
 * Holds one HTTP/2 connection to its limits. A client that opens streams and resets them at once makes work and never counts
 * against the limit of open ones (CVE-2023-44487); one that does that on and on loses the connection.
 */
export function guardSession(session: ServerHttp2Session, limits: SessionLimits, log: Logger): void {
  let open = 0;
  let resets = 0;
  let windowStartMs = 0;
  let calmed = false;
  const caller = peerOf(session.socket).address;
  session.setLocalWindowSize(connectionWindowBytes);
  const part = (): void => {
    if (open > 0 || session.closed) return;
    session.goaway();
    // Not by `close`, which waits for the client to do the same for as long as that takes.
    idle = setTimeout(() => {
      if (open === 0) session.destroy(new Error('the connection is idle'), constants.NGHTTP2_NO_ERROR);
    }, partingMs);
  };
  // Not the session's own timer: once what came was no HTTP/2, nothing happens on the session any more, and that timer doesn't fire again.
  let idle = setTimeout(part, limits.idleMs);
  session.once('close', () => clearTimeout(idle));
  // Whatever a peer does to its connection ends in `close`, which is all that has to be known.
  session.on('error', () => undefined);
  session.on('stream', (stream) => {
    open++;
    clearTimeout(idle);
    closeWhenReset(stream);
    stream.once('close', () => {
      if (--open === 0 && !limits.idleOnlyAtFirst && !session.destroyed) idle = setTimeout(part, limits.idleMs);
      // Whatever code a client gives, and also where it makes the gateway reset the stream.
      if (!stream.aborted && stream.writableFinished) return;
      const now = performance.now();
      if (now - windowStartMs > resetWindowMs) {
        windowStartMs = now;
        resets = 0;
      }
      if (++resets <= limits.maxResets || calmed || session.destroyed) return;
      calmed = true;
      log.warn({ caller, resets }, 'a client resets its requests on and on: disconnected');
      const code = constants.NGHTTP2_ENHANCE_YOUR_CALM;
      // From here on nothing new is taken. Where it is destroyed at once, that often doesn't go out; and without an error, Node
      // says that there is none.
      session.goaway(code);
      setImmediate(() => session.destroy(new Error('the client resets its requests on and on'), code));
    });
  });
}

/**
 * Closes a stream that its client has reset, whatever the code. With NO_ERROR Node leaves it as it is until the connection ends: what waits
 * to be sent on it waits on, and nobody is told.
 */
function closeWhenReset(stream: ServerHttp2Stream): void {
  // Not at once: if it was this side that closed it, the client has yet to be told.
  const close = (): void => queueMicrotask(() => void (stream.closed && stream.destroy()));
  // The one comes where the answer hasn't ended, the other where nobody has read the request to its end.
  stream.once('aborted', close).once('end', close);
}
