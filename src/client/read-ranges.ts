import type { CallOptions as GrpcOptions, ClientDuplexStream } from '@grpc/grpc-js';
import type { ReadRangesRequest, ReadRangesResponse, RangeRead as WireRead } from '../../gen/kloset/store/v1/store.js';
import { StoreError } from '../core/errors.js';
import type { ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import { Semaphore } from '../lib/semaphore.js';
import { fromReadError } from '../wire/errors.js';
import { toRange, toRef } from '../wire/objects.js';
import { received } from './calls.js';

/** One read of many. */
export interface RangeRead {
  readonly ref: ObjectRef;
  readonly range: ByteRange;
}

/** The answer to one read: its bytes, or the error that it failed with. */
export interface RangeAnswer {
  /** The read's index among those asked for, from 0. */
  readonly index: number;
  readonly bytes?: Uint8Array;
  readonly error?: StoreError;
}

/** What a ReadRanges call reads, and from where. */
export interface ReadRangesOptions {
  /** Starts the call with these options and others. */
  readonly start: (options: GrpcOptions) => Call;
  /** The store's name. */
  readonly store: string;
  readonly reads: AsyncIterable<RangeRead> | Iterable<RangeRead>;
  /** Cancels the call. */
  readonly signal: AbortSignal | undefined;
}

type Call = ClientDuplexStream<ReadRangesRequest, ReadRangesResponse>;

/** How many reads may be asked for and not yet taken by the consumer: bounds how many answers wait here. */
const maxOutstanding = 64;

/**
 * Asks for reads on a call of its own, which starts when the first answer is asked for, and gives each answer when it is complete. Ending
 * the iteration early cancels the call.
 */
export async function* readRanges(options: ReadRangesOptions): AsyncGenerator<RangeAnswer, void, undefined> {
  const permits = new Semaphore(maxOutstanding);
  const ended = new AbortController();
  let failure: { error: unknown } | undefined;
  const responses = received<ReadRangesResponse>(options.signal, (grpcOptions) => {
    const call = options.start(grpcOptions);
    // Not awaited: `reads` may never give its next one, which must not hold up a consumer that stops early.
    sendReads(call, options, permits, ended.signal).catch((error: unknown) => {
      if (ended.signal.aborted) return;
      failure = { error };
      call.cancel();
    });
    return call;
  });
  const chunksByTag = new Map<bigint, Uint8Array[]>();
  try {
    for await (const response of responses) {
      const answers = response.answers.length === 0 ? [response] : response.answers;
      for (const { tag, chunk, last, error } of answers) {
        const chunks = chunksByTag.get(tag) ?? [];
        chunks.push(chunk);
        chunksByTag.set(tag, chunks);
        if (!last) continue;
        chunksByTag.delete(tag);
        permits.release();
        yield { index: Number(tag), ...(error ? { error: fromReadError(error) } : { bytes: joined(chunks) }) };
      }
    }
    if (!permits.isIdle)
      throw new StoreError('unavailable', 'the gateway ended the call before it had answered all reads');
  } catch (error) {
    throw failure === undefined ? error : failure.error;
  } finally {
    ended.abort();
  }
}

/** Asks for reads while there are permits. Those of one turn of the event loop share a message. Fails when `ended` aborts. */
async function sendReads(
  call: Call,
  { store, reads }: ReadRangesOptions,
  permits: Semaphore,
  ended: AbortSignal,
): Promise<void> {
  let gathered: WireRead[] = [];
  const send = (): void => {
    if (gathered.length > 0 && !ended.aborted) {
      call.write({ store, tag: 0n, ref: undefined, range: undefined, reads: gathered });
    }
    gathered = [];
  };
  let tag = 0n;
  for await (const { ref, range } of reads) {
    await permits.acquire({ signal: ended });
    if (gathered.length === 0) setImmediate(send);
    gathered.push({ tag: tag++, ref: toRef(ref), range: toRange(range) });
  }
  send();
  if (!ended.aborted) call.end();
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}
