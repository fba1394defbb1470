import type { ReadRangesRequest, ReadRangesResponse } from '../../../gen/kloset/store/v1/store.js';
import { StoreError } from '../../core/errors.js';
import { wireStatus } from '../../core/status.js';
import { sendChunks } from '../send-read.js';
import type { CallContext, Send } from './call.js';
import { parseRange, parseRef } from './convert.js';

/** How many reads of one stream are under way at once; the client's further ones wait. */
const readsAtOnce = 32;

/** Answers the reads of one stream, each as soon as it is ready. Resolves when the client has asked all and has all answers. */
export async function readRanges(
  requests: AsyncIterable<ReadRangesRequest>,
  send: Send<ReadRangesResponse>,
  context: CallContext,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let broken: unknown;
  for await (const request of requests) {
    const read = answerRead(request, send, context)
      .catch((error: unknown) => (broken ??= error))
      .finally(() => underWay.delete(read)) as Promise<void>;
    underWay.add(read);
    if (underWay.size >= readsAtOnce) await Promise.race(underWay);
    if (broken !== undefined) break;
  }
  await Promise.all(underWay);
  if (broken !== undefined) throw broken;
}

/** Answers one read: with its bytes, or with its own error. Throws only where nothing can be sent any more. */
async function answerRead(
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
