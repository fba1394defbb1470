import type { ServerReadableStream } from '@grpc/grpc-js';
import { canceled, hasCode } from '../../core/errors.js';
import type { Pace } from '../pace.js';
import { streamOf } from './connection.js';
import type { Decode } from './unframing.js';

/**
 * The messages of a client's stream, which is held to the pace. Throws `canceled` where the client is gone: grpc-js ends the stream like a
 * whole one when a client resets it, and only says so beside.
 *
 * @param call has been given a Decode for these messages
 */
export async function* received<Req>(
  call: ServerReadableStream<Req, unknown>,
  pace: Pace,
): AsyncGenerator<Req, void, undefined> {
  const messages = call.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<ReturnType<Decode<Req>>>;
  const incoming = pace.start();
  const stream = streamOf(call);
  // Not by whole messages: over a slow line a large one takes longer than a client may be silent.
  const count = (data: Buffer): void => incoming.moved(data.length);
  stream.on('data', count);
  try {
    for (;;) {
      const { done, value } = await incoming.wait(messages.next());
      if (done === true) break;
      if (Array.isArray(value)) for (const part of value as readonly Req[]) yield part;
      else yield value as Req;
    }
  } catch (error) {
    throw hasCode(error, 'too_slow') ? error : canceled(error);
  } finally {
    stream.removeListener('data', count);
    // Not waited for: where the client is, this is never done.
    messages.return?.().catch(() => undefined);
  }
  if (call.cancelled) throw canceled();
}
