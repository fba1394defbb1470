import type { RangeRead, ReadRangesRequest, ReadRangesResponse } from '../../../gen/kloset/store/v1/store.js';
import { StoreError } from '../../core/errors.js';
import { Semaphore } from '../../lib/semaphore.js';
import { toReadError } from '../../wire/errors.js';
import { fromRange, fromRef } from '../../wire/objects.js';
import { sendChunks } from '../send-chunks.js';
import { AnswerSender, type Answer } from './answer-sender.js';
import type { CallContext } from './call.js';
import type { Send } from './message-sender.js';

/** How many permits the reads of one call have. */
const readPermits = 32;

/** Reads from this size on, in bytes, are answered in pieces that take as much memory as several small answers. */
const largeBytes = 256 * 1024;
const largePermits = 8;

/** One read of a call. */
interface AskedRead extends RangeRead {
  /** The store's name. */
  readonly store: string;
  /** Whether its answer may share messages with others. */
  readonly shares: boolean;
}

/**
 * Answers the reads of a call, each as soon as it is ready. Some run at the same time; meanwhile the client's further messages wait. Where
 * an answer can't be sent, no further read begins, and this fails when those under way have ended.
 */
export async function readRanges(
  requests: AsyncIterable<ReadRangesRequest>,
  send: Send<ReadRangesResponse>,
  context: CallContext,
): Promise<void> {
  const permits = new Semaphore(readPermits);
  const answers = new AnswerSender(send);
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => void (failure ??= { error });
  const start = (read: AskedRead, weight: number): void => {
    const work = answerRead(read, answers, context)
      .catch(fail)
      .finally(() => {
        permits.release(weight);
        running.delete(work);
      });
    running.add(work);
  };
  try {
    for await (const request of requests) {
      for (const read of readsOf(request)) {
        const weight = permitsOf(read);
        await permits.acquire({ signal: context.signal, weight });
        // Sending fails only where the call has ended, which ends `requests` too.
        if (failure === undefined) start(read, weight);
      }
    }
  } catch (error) {
    fail(error);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure.error;
}

/** The reads that a message asks for. One without any is a read that lacks everything, and is answered so. */
export function readsOf({ store, tag, ref, range, reads }: ReadRangesRequest): readonly AskedRead[] {
  const shared = reads.map((read) => ({ ...read, store, shares: true }));
  if (reads.length > 0 && ref === undefined && range === undefined) return shared;
  return [{ store, tag, ref, range, shares: false }, ...shared];
}

function permitsOf({ range }: RangeRead): number {
  return (range?.length ?? 0) < largeBytes ? 1 : largePermits;
}

/** Answers one read, with its bytes or with its error. Fails only where nothing can be sent any more. */
async function answerRead(
  { store, tag, ref, range, shares }: AskedRead,
  answers: AnswerSender,
  context: CallContext,
): Promise<void> {
  const send = (answer: Omit<Answer, 'tag' | 'shares'>): Promise<void> => answers.send({ tag, shares, ...answer });
  try {
    if (range === undefined) throw new StoreError('invalid_argument', 'range is missing: it says what to read');
    const read = await context.storeOf(store).get(fromRef(ref), fromRange(range), context);
    let left = read.length;
    await sendChunks(read, (chunk) => {
      left -= chunk.length;
      return send({ chunk, last: left === 0, error: undefined });
    });
  } catch (error) {
    const reported = context.report(error);
    if (reported.code === 'canceled') throw error;
    await send({ chunk: new Uint8Array(), last: true, error: toReadError(reported) });
  }
}
