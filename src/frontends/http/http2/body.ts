import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { finished, type Readable } from 'node:stream';
import { canceled } from '../../../core/errors.js';
import { Gatherer } from '../../gatherer.js';
import type { Transfer } from '../../pace.js';
import { settled } from '../../settled.js';

/** What comes while nobody asks for it is kept up to here, in bytes; then the client has to wait. */
const keptBytes = 512 * 1024;

/** The body of a request, as `HttpStream.body` has it. */
export async function* bodyOf(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  incoming: Transfer,
  received: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (request.headers.expect !== undefined) response.writeContinue();
  yield* piecesOf(request, incoming, received);
  if (!request.complete) throw canceled();
  // Node ends the body like a whole one when the client resets the stream, and says so just behind.
  await settled(() => request.stream.aborted || request.stream.destroyed);
}

/**
 * Bytes of a request as they come, several at once where the consumer was busy: one event and one promise less for each than
 * a stream's own iterator has, which also stops the socket after every piece. Ends where the request does, also where it is cut off.
 */
async function* piecesOf(
  request: Http2ServerRequest,
  incoming: Transfer,
  received: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let pieces: Uint8Array[] = [];
  let kept = 0;
  let isFirst = true;
  let over = false;
  let failure: Error | undefined;
  let proceed = (): void => undefined;

  const gatherer = new Gatherer();
  const onData = (piece: Uint8Array): void => {
    incoming.moved(piece.length);
    received(piece.length);
    kept += piece.length;
    // The first one may tell that the rest isn't wanted, and of a small body it is all there is.
    if (isFirst) pieces.push(piece);
    else gatherer.add(piece, pieces);
    isFirst = false;
    if (kept >= keptBytes) request.pause();
    if (pieces.length > 0) proceed();
  };
  const onOver = (error?: Error | null): void => {
    over = true;
    gatherer.flush(pieces);
    failure = error ?? undefined;
    proceed();
  };
  request.on('data', onData);
  // Also where it was over before anybody listened.
  const forget = finished(request as Readable, { writable: false }, onOver);
  try {
    while (!over || pieces.length > 0) {
      if (pieces.length === 0) await incoming.wait(new Promise<void>((resolve) => (proceed = resolve)));
      if (failure !== undefined) throw canceled(failure);
      const some = pieces;
      pieces = [];
      kept = 0;
      request.resume();
      for (const piece of some) yield piece;
    }
  } finally {
    request.off('data', onData);
    forget();
    // Unless somebody else reads on.
    if (request.listenerCount('data') === 0) request.pause();
  }
}
