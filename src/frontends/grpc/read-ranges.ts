import type { ReadRangesRequest, ReadRangesResponse } from '../../../gen/kloset/store/v1/store.js';
import { StoreError } from '../../core/errors.js';
import { wireStatus } from '../../core/status.js';
import { sendChunks } from '../send-read.js';
import type { CallContext } from './call.js';
import { parseRange, parseRef } from './convert.js';
import type { Send } from './message-sender.js';

/** How many reads of one stream are under way at once; the client's further ones wait. */
export const readsAtOnce = 32;

/** Answers one read of a stream: with its bytes, or with its own error. Throws only where nothing can be sent any more. */
export async function answerRead(
  { store, tag, ref, range }: ReadRangesRequest,
  send: Send<ReadRangesResponse>,
  context: CallContext,
): Promise<void> {
  try {
    if (range === undefined) throw new StoreError('invalid_argument', 'range is missing: it says what to read');
    const read = await context.storeOf(store).get(parseRef(ref), parseRange(range), context);
    let left = read.length;
    await sendChunks(read, (chunk) => {
      left -= chunk.length;
      context.record.sent += chunk.length;
      return send({ tag, chunk, last: left === 0, error: undefined });
    });
  } catch (error) {
    const { code, message } = context.report(error);
    if (code === 'canceled') throw error;
    await send({ tag, chunk: new Uint8Array(), last: true, error: { code: wireStatus[code].grpc, message } });
  }
}
