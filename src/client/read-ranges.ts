import type { ClientDuplexStream } from '@grpc/grpc-js';
import type {
  ReadRangesRequest,
  ReadRangesResponse,
  RangeAnswer as WireAnswer,
  RangeRead as WireRead,
} from '../../gen/kloset/store/v1/store.js';
import { errorCodes, StoreError } from '../core/errors.js';
import type { ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import { wireStatus } from '../core/status.js';
import { received } from './calls.js';
import { toWireRange, toWireRef } from './wire.js';

/** One read of many. */
export interface RangeRead {
  readonly ref: ObjectRef;
  readonly range: ByteRange;
}

/** The answer to one read: its bytes, or what it alone failed with. */
export interface RangeAnswer {
  /** The read's place among those asked for, from 0. */
  readonly index: number;
  readonly bytes?: Uint8Array;
  readonly error?: StoreError;
}

/** How many reads are asked for and not yet taken; what the gateway answers beyond that would pile up here. */
const readsAhead = 64;

/**
 * Asks for reads on a call of its own, and gives each answer when it is complete. Who stops early ends the call.
 *
 * @param start begins the call, when the first answer is asked for
 */
export async function* readRanges(
  start: () => ClientDuplexStream<ReadRangesRequest, ReadRangesResponse>,
  store: string,
  reads: AsyncIterable<RangeRead> | Iterable<RangeRead>,
  signal: AbortSignal | undefined,
): AsyncGenerator<RangeAnswer, void, undefined> {
  const call = start();
  const ended = new AbortController();
  const window = new Window(readsAhead, ended.signal);
  let broken: unknown;
  // Nobody waits for the end of it: reads that are long in coming would keep who stops early.
  ask(call, store, reads, window, ended.signal).catch((error: unknown) => {
    broken = error;
    call.cancel();
  });
  const parts = new Map<bigint, Uint8Array[]>();
  try {
    for await (const response of received(signal, call)) {
      for (const { tag, chunk, last, error } of answersIn(response)) {
        const chunks = parts.get(tag) ?? [];
        chunks.push(chunk);
        parts.set(tag, chunks);
        if (!last) continue;
        parts.delete(tag);
        window.open();
        yield { index: Number(tag), ...(error ? { error: toError(error) } : { bytes: joined(chunks) }) };
      }
    }
    if (window.isTaken)
      throw new StoreError('unavailable', 'the gateway ended the call before it had answered all reads');
  } catch (error) {
    throw broken ?? error;
  } finally {
    ended.abort();
  }
}

/** Asks for reads as the window lets it, for those of one turn of the event loop together. */
async function ask(
  call: ClientDuplexStream<ReadRangesRequest, ReadRangesResponse>,
  store: string,
  reads: AsyncIterable<RangeRead> | Iterable<RangeRead>,
  window: Window,
  ended: AbortSignal,
): Promise<void> {
  let together: WireRead[] = [];
  const send = (): void => {
    if (together.length > 0 && !ended.aborted) {
      call.write({ store, tag: 0n, ref: undefined, range: undefined, reads: together });
    }
    together = [];
  };
  let tag = 0n;
  for await (const { ref, range } of reads) {
    await window.enter();
    if (ended.aborted) return;
    if (together.length === 0) setImmediate(send);
    together.push({ tag: tag++, ref: toWireRef(ref), range: toWireRange(range) });
  }
  send();
  if (!ended.aborted) call.end();
}

function answersIn(response: ReadRangesResponse): readonly WireAnswer[] {
  return response.answers.length === 0 ? [response] : response.answers;
}

/** Lets a number of reads be under way. */
class Window {
  private wake: (() => void) | undefined;
  private free: number;

  constructor(
    private readonly size: number,
    ended: AbortSignal,
  ) {
    this.free = size;
    ended.addEventListener('abort', () => this.open());
  }

  /** Whether something is under way. */
  get isTaken(): boolean {
    return this.free < this.size;
  }

  async enter(): Promise<void> {
    while (this.free === 0) await new Promise<void>((resolve) => (this.wake = resolve));
    this.free--;
  }

  open(): void {
    this.free++;
    this.wake?.();
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

function toError({ code, message }: { code: number; message: string }): StoreError {
  return new StoreError(errorCodes.find((each) => wireStatus[each].grpc === code) ?? 'internal', message);
}
