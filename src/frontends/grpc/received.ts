import type { ServerDuplexStream, ServerReadableStream } from '@grpc/grpc-js';
import type { ServerHttp2Stream } from 'node:http2';
import { canceled, hasCode } from '../../core/errors.js';
import type { Demand } from '../../lib/demand.js';
import type { Transfer } from '../pace.js';

export interface ReceiveOptions {
  /** Controls the delivery of the messages, see messagesOnDemand. */
  readonly demand: Demand | undefined;
  /** The call's HTTP/2 stream, where it is known. */
  readonly stream?: ServerHttp2Stream | undefined;
  /** Enforces a minimum rate. Without it, the client may take its time. */
  readonly transfer?: Transfer;
}

/**
 * The messages of a client's stream. Throws `canceled` where the client reset the call, which grpc-js ends like a complete one, and
 * `too_slow`.
 */
export async function* received<Req>(
  call: ServerReadableStream<Req, unknown> | ServerDuplexStream<Req, unknown>,
  { demand, stream, transfer }: ReceiveOptions,
): AsyncGenerator<Req, void, undefined> {
  const messages = call.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Req>;
  const next = (): Promise<IteratorResult<Req>> => {
    demand?.request();
    return transfer === undefined ? messages.next() : transfer.wait(messages.next());
  };
  // Counts bytes, not messages: over a slow line, a large message may take longer than a client may stall.
  const count = (data: Buffer): void => transfer?.moved(data.length);
  if (transfer !== undefined) stream?.on('data', count);
  try {
    for (let item = await next(); item.done !== true; item = await next()) yield item.value;
  } catch (error) {
    throw hasCode(error, 'too_slow') ? error : canceled(error);
  } finally {
    stream?.removeListener('data', count);
    // Not awaited: this may never settle while the client stays connected.
    messages.return?.().catch(() => undefined);
  }
  if (call.cancelled) throw canceled();
}
