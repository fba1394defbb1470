import type {
  ClientDuplexStream,
  ClientReadableStream,
  ClientUnaryCall,
  ClientWritableStream,
  ServiceError,
} from '@grpc/grpc-js';
import { setMaxListeners } from 'node:events';
import { canceled } from '../core/errors.js';
import { holdOne } from '../lib/hold-one.js';
import { fromStatus } from './status.js';

/* grpc-js's calls as promises and async iterables. What they fail with is a StoreError; an abort ends the call. */

/** Takes the answer of a call. */
export type Done<Res> = (error: ServiceError | null, response: Res) => void;

/** Runs a call that has one answer. */
export async function unary<Res>(
  signal: AbortSignal | undefined,
  start: (done: Done<Res>) => ClientUnaryCall,
): Promise<Res> {
  if (signal?.aborted) throw canceled(signal.reason);
  let release = (): void => undefined;
  try {
    return await new Promise<Res>((resolve, reject) => {
      const call = start((error, response) => (error === null ? resolve(response) : reject(error)));
      release = cancelOn(signal, call);
    });
  } catch (error) {
    throw fromStatus(error, signal);
  } finally {
    release();
  }
}

/** The messages of a call that streams its answer. Who stops early ends the call. */
export async function* received<Res>(
  signal: AbortSignal | undefined,
  call: ClientReadableStream<Res> | ClientDuplexStream<never, Res>,
): AsyncGenerator<Res, void, undefined> {
  // A call that nobody iterates yet, or any more, may fail too: that is for whoever iterates, and no uncaught error.
  call.on('error', () => undefined);
  holdOne(call);
  const release = cancelOn(signal, call);
  try {
    for await (const message of call) yield message as Res;
  } catch (error) {
    throw fromStatus(error, signal);
  } finally {
    release();
    call.cancel();
  }
}

/**
 * Sends a stream of messages and resolves to the answer. Sending stops when the answer is there, as it is early when the
 * gateway refuses. Where `messages` throws, that is what this fails with.
 *
 * @param giveUp ends a call whose messages threw
 */
export async function upload<Req, Res>(
  signal: AbortSignal | undefined,
  start: (done: Done<Res>) => ClientWritableStream<Req>,
  messages: AsyncIterable<Req>,
  giveUp: (call: ClientWritableStream<Req>) => void = (call) => call.cancel(),
): Promise<Res> {
  if (signal?.aborted) throw canceled(signal.reason);
  let release = (): void => undefined;
  let broken: { error: unknown } | undefined;
  try {
    return await new Promise<Res>((resolve, reject) => {
      const answered = new AbortController();
      const call = start((error, response) => {
        answered.abort();
        if (error === null) resolve(response);
        else reject(error);
      });
      release = cancelOn(signal, call);
      sendAll(call, messages, answered.signal).catch((error: unknown) => {
        broken ??= { error };
        giveUp(call);
      });
    });
  } catch (error) {
    throw fromStatus(broken === undefined ? error : broken.error, signal);
  } finally {
    release();
  }
}

/** Sends messages, each when the one before it is on its way, and ends the call's sending side. */
async function sendAll<Req>(
  call: ClientWritableStream<Req> | ClientDuplexStream<Req, unknown>,
  messages: AsyncIterable<Req>,
  stopped: AbortSignal,
): Promise<void> {
  // Writing to a call that has ended is no news: its status says why.
  call.on('error', () => undefined);
  for await (const message of messages) {
    if (stopped.aborted) return;
    await new Promise<void>((taken) => {
      const done = (): void => {
        stopped.removeEventListener('abort', done);
        taken();
      };
      // A call that has ended may leave a write without an answer.
      stopped.addEventListener('abort', done, { once: true });
      call.write(message, done);
    });
  }
  if (!stopped.aborted) call.end();
}

/** Cancels a call when the signal aborts. Returns what undoes that. */
function cancelOn(signal: AbortSignal | undefined, call: { cancel(): void }): () => void {
  if (signal === undefined) return () => undefined;
  const cancel = (): void => call.cancel();
  if (signal.aborted) cancel();
  // One signal may end any number of calls at once: that is no leak, which Node warns of.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', cancel, { once: true });
  return () => signal.removeEventListener('abort', cancel);
}
