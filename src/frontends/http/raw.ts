import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { finished, type Readable } from 'node:stream';
import { canceled } from '../../core/errors.js';
import type { Transfer } from '../pace.js';
import { settled } from '../settled.js';

/* Node's requests and responses of either version of HTTP: where they differ, and the bodies of requests. */

export type RawRequest = IncomingMessage | Http2ServerRequest;
export type RawResponse = ServerResponse | Http2ServerResponse;

export function isHttp2(request: RawRequest): request is Http2ServerRequest {
  return request.httpVersionMajor === 2;
}

/** Whether a response that is closed reached the client's side as a whole, as far as this side can tell. */
export function isDelivered(request: RawRequest, response: RawResponse): boolean {
  return isHttp2(request) ? !request.stream.aborted && request.stream.writableFinished : response.writableFinished;
}

/** Ends a response that can't be completed such that the client can't take it for a whole one. */
export function breakOff(request: RawRequest): void {
  if (!isHttp2(request)) return void request.socket.destroy();
  // Without an error, or with `close`, the client might see a clean end. Node sends INTERNAL_ERROR.
  request.stream.destroy(new Error('the response is broken off'));
}

/** What arrives while the consumer is busy is buffered up to here, in bytes; then the client has to wait. */
const highWaterMark = 128 * 1024;

/** How long a client may go on sending a request that is refused, in milliseconds. */
export const lingerMs = 5000;

/**
 * The bytes of a request's body as they arrive. Fails with `canceled` where it is cut off, and with `too_slow` where the transfer is.
 * Stopping early leaves the connection alone. The stream's own iterator takes an event and a promise for each chunk, and lets the socket
 * run dry while the consumer writes.
 *
 * @param received is told how many bytes have arrived, as they do
 */
export async function* requestBody(
  request: RawRequest,
  incoming: Transfer,
  received: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let chunks: Uint8Array[] = [];
  let buffered = 0;
  let over = false;
  let failure: Error | undefined;
  let wake = (): void => undefined;
  const onData = (chunk: Uint8Array): void => {
    incoming.moved(chunk.length);
    received(chunk.length);
    chunks.push(chunk);
    buffered += chunk.length;
    if (buffered >= highWaterMark) request.pause();
    wake();
  };
  request.on('data', onData);
  const forget = finished(request as Readable, { writable: false }, (error) => {
    over = true;
    failure = error ?? undefined;
    wake();
  });
  try {
    while (!over || chunks.length > 0) {
      if (chunks.length === 0) await incoming.wait(new Promise<void>((resolve) => (wake = resolve)));
      if (failure !== undefined) throw canceled(failure);
      const batch = chunks;
      chunks = [];
      buffered = 0;
      request.resume();
      yield* batch;
    }
  } finally {
    request.off('data', onData);
    forget();
    if (request.listenerCount('data') === 0) request.pause();
  }
  if (!request.complete) throw canceled();
  // Node ends the body of an HTTP/2 stream that its client resets like a whole one, and reports the reset just behind.
  if (isHttp2(request)) await settled(() => request.stream.aborted || request.stream.destroyed);
}

/** Reads and drops what is left of a request's body. Resolves when that is all, or the client has taken too long. */
export function discardBody(request: RawRequest): Promise<void> {
  request.removeAllListeners('data');
  request.resume();
  return new Promise((resolve) => {
    const linger = setTimeout(resolve, lingerMs);
    const end = (): void => {
      clearTimeout(linger);
      resolve();
    };
    request.once('end', end).once('close', end);
  });
}
