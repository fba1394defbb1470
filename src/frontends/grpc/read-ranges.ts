import { RangeAnswer, ReadRangesRequest, type RangeRead } from '../../../gen/kloset/store/v1/store.js';
import { StoreError } from '../../core/errors.js';
import { wireStatus } from '../../core/status.js';
import { sendChunks } from '../send-read.js';
import type { CallContext } from './call.js';
import { parseRange, parseRef } from './convert.js';
import type { Part } from './each-part.js';
import { encodeAnswers } from './framing.js';
import type { Send } from './message-sender.js';

/** How many reads of one stream are under way at once; the client's further ones wait. */
export const readsAtOnce = 32;

/** Reads from here on, in bytes, have pieces of them in memory that are as large as several small reads. */
const largeBytes = 256 * 1024;
const largeWeight = 8;

/** One read of a stream. */
interface AskedRead extends RangeRead, Part {
  readonly store: string;
  /** Whether its answer may share messages. */
  readonly shares: boolean;
}

/** What answers a read, or the next piece of that. */
interface Answer extends RangeAnswer {
  /** Whether it may share messages. */
  readonly shares: boolean;
}

/** RangeAnswer has the fields of a ReadRangesResponse for one read. */
export const encodeRanges = encodeAnswers<Answer>(RangeAnswer, 2, 5);

/** The reads that a message asks for. Throws `invalid_argument` for what is none. */
export function decodeReads(message: Uint8Array): readonly AskedRead[] {
  const { store, tag, ref, range, reads } = decode(message);
  const several = reads.map((read) => asked(store, read, true));
  if (reads.length > 0 && ref === undefined && range === undefined) return several;
  return [asked(store, { tag, ref, range }, false), ...several];
}

function asked(store: string, { tag, ref, range }: RangeRead, shares: boolean): AskedRead {
  const weight = (range?.length ?? 0) < largeBytes ? 1 : largeWeight;
  return { store, tag, ref, range, shares, weight };
}

function decode(message: Uint8Array): ReadRangesRequest {
  try {
    return ReadRangesRequest.decode(message);
  } catch (cause) {
    throw new StoreError('invalid_argument', 'a message is no ReadRangesRequest', { cause });
  }
}

/** Answers one read of a stream: with its bytes, or with its own error. Throws only where nothing can be sent any more. */
export async function answerRead(
  { store, tag, ref, range, shares }: AskedRead,
  send: Send<Answer>,
  context: CallContext,
): Promise<void> {
  try {
    if (range === undefined) throw new StoreError('invalid_argument', 'range is missing: it says what to read');
    const read = await context.storeOf(store).get(parseRef(ref), parseRange(range), context);
    let left = read.length;
    await sendChunks(read, (chunk) => {
      left -= chunk.length;
      context.record.sent += chunk.length;
      return send({ tag, chunk, last: left === 0, error: undefined, shares });
    });
  } catch (error) {
    const { code, message } = context.report(error);
    if (code === 'canceled') throw error;
    const failure = { code: wireStatus[code].grpc, message };
    await send({ tag, chunk: new Uint8Array(), last: true, error: failure, shares });
  }
}
