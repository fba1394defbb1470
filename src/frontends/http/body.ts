import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream';
import { freeNow, freeWhenDone } from '../../core/disposable.js';
import { canceled } from '../../core/errors.js';
import { Gatherer } from '../gatherer.js';
import type { Transfer } from '../pace.js';

/** What comes while nobody asks for it is kept up to here, in bytes; then the client has to wait. */
const keptBytes = 512 * 1024;

/**
 * The body of a request. Fails with `canceled` where it is cut off, `too_slow` where it trickles. Whoever stops early leaves the
 * connection alone.
 *
 * @param received is told of every piece as it comes
 */
export async function* piecesOf(
  request: IncomingMessage,
  incoming: Transfer,
  received: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  // What came with the head needs no waiting, and of a small body that is all there is.
  const first = request.httpVersionMajor === 1 ? (request.read() as Buffer | null) : null;
  if (first !== null) {
    incoming.moved(first.length);
    received(first.length);
    freeWhenDone(first);
    yield first;
    if (first.length === Number(request.headers['content-length'])) return;
  }
  yield* eventually(request, incoming, received);
  if (!request.complete) throw canceled();
}

/**
 * Bytes of a request as they come, several at once where the consumer was busy: one event and one promise less for each than
 * a stream's own iterator has, which also stops the socket after every piece. Ends where the request does, also where it is cut off.
 */
async function* eventually(
  request: IncomingMessage,
  incoming: Transfer,
  received: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let pieces: Uint8Array[] = [];
  let kept = 0;
  let over = false;
  let failure: Error | undefined;
  let proceed = (): void => undefined;

  const gatherer = new Gatherer();
  // Pieces of HTTP/2 are parts of one piece of memory.
  const isPlain = request.httpVersionMajor === 1;
  let isFirst = true;
  const onData = (piece: Uint8Array): void => {
    incoming.moved(piece.length);
    received(piece.length);
    kept += piece.length;
    if (isFirst) {
      // It may tell that the rest isn't wanted, and of a small body it is all there is.
      isFirst = false;
      pieces.push(piece);
      if (isPlain) freeWhenDone(piece);
    } else {
      gatherer.add(piece, pieces);
      if (isPlain) freeNow(piece);
    }
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
  const forget = finished(request, { writable: false }, onOver);
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
