import {
  InterceptingCall,
  type CallOptions as GrpcOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type Interceptor,
  type ServiceError,
} from '@grpc/grpc-js';
import { setMaxListeners } from 'node:events';
import { canceled } from '../core/errors.js';
import { Demand } from '../lib/demand.js';
import { fromStatus } from './status.js';

/* grpc-js's calls as promises and async iterables. They fail with a StoreError; an abort of their signal cancels the call. */

/** Receives the answer of a call. */
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

/**
 * Starts a call that streams its answer, and gives its messages. The next one is read while the consumer works on the last; by default
 * grpc-js reads 16 ahead, which may be 16 MiB of a download. Ending the iteration early cancels the call.
 *
 * @param start starts the call with these options and others
 */
export function received<Res>(
  signal: AbortSignal | undefined,
  start: (options: GrpcOptions) => ClientReadableStream<Res> | ClientDuplexStream<never, Res>,
): AsyncGenerator<Res, void, undefined> {
  const demand = new Demand(0);
  const call = start({ interceptors: [onDemand(demand)] });
  // A call may fail before the iteration has begun or after it has ended: the iteration reports that, it is no uncaught error.
  call.on('error', () => undefined);
  return messagesOf(call, demand, signal);
}

async function* messagesOf<Res>(
  call: ClientReadableStream<Res> | ClientDuplexStream<never, Res>,
  demand: Demand,
  signal: AbortSignal | undefined,
): AsyncGenerator<Res, void, undefined> {
  const release = cancelOn(signal, call);
  try {
    demand.request();
    for await (const message of call) {
      yield message as Res;
      demand.request();
    }
  } catch (error) {
    throw fromStatus(error, signal);
  } finally {
    release();
    call.cancel();
  }
}

/** An interceptor for one call. */
function onDemand(demand: Demand): Interceptor {
  return (options, nextInterceptor) =>
    new InterceptingCall(nextInterceptor(options), {
      start: (metadata, _listener, next) =>
        next(metadata, { onReceiveMessage: (message, pass) => demand.deliver(() => pass(message)) }),
    });
}

/**
 * Sends a stream of messages and resolves to the answer. Stops sending when the answer arrives, which is early where the gateway
 * refuses. Where `messages` throws, this fails with the same error.
 *
 * @param abandon ends a call whose messages threw
 */
export async function upload<Req, Res>(
  signal: AbortSignal | undefined,
  start: (done: Done<Res>) => ClientWritableStream<Req>,
  messages: AsyncIterable<Req>,
  abandon: (call: ClientWritableStream<Req>) => void = (call) => call.cancel(),
): Promise<Res> {
  if (signal?.aborted) throw canceled(signal.reason);
  let release = (): void => undefined;
  let failure: { error: unknown } | undefined;
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
        failure ??= { error };
        abandon(call);
      });
    });
  } catch (error) {
    throw fromStatus(failure === undefined ? error : failure.error, signal);
  } finally {
    release();
  }
}

/** Sends messages, each when grpc-js has sent the one before, and then half-closes the call. */
async function sendAll<Req>(
  call: ClientWritableStream<Req>,
  messages: AsyncIterable<Req>,
  stopped: AbortSignal,
): Promise<void> {
  // Writing to a call that has ended is an error, too; the call's status says why it ended.
  call.on('error', () => undefined);
  for await (const message of messages) {
    if (stopped.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stopped.removeEventListener('abort', done);
        resolve();
      };
      // grpc-js may never call back for a write to a call that has ended.
      stopped.addEventListener('abort', done, { once: true });
      call.write(message, done);
    });
  }
  if (!stopped.aborted) call.end();
}

/** Cancels a call when the signal aborts. Returns a function that undoes this. */
function cancelOn(signal: AbortSignal | undefined, call: { cancel(): void }): () => void {
  if (signal === undefined) return () => undefined;
  const cancel = (): void => call.cancel();
  if (signal.aborted) cancel();
  // Any number of calls may share a signal; Node would warn of a leak from ten listeners on.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', cancel, { once: true });
  return () => signal.removeEventListener('abort', cancel);
}
