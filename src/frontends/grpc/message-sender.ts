import { constants, type ServerHttp2Stream } from 'node:http2';
import { canceled, hasCode } from '../../core/errors.js';
import type { RequestRecord } from '../../core/request.js';
import type { Pace } from '../pace.js';
import { Scratch } from './codecs.js';

/**
 * Sends one message. Resolves when the transport has taken it: only then may the buffers in it be reused, and the next one be sent. Fails
 * with `canceled` where the call has ended, `too_slow` where the client takes nothing; either ends the call.
 *
 * @param bytes how many bytes of objects and lists the message has
 */
export type Send<Message> = (message: Message, bytes: number) => Promise<void>;

export interface SenderOptions<Message> {
  /** grpc-js's call. */
  readonly call: { write(message: Message, callback: (error?: Error | null) => void): boolean };
  /** The call's HTTP/2 stream, where it is known. */
  readonly stream: Pick<ServerHttp2Stream, 'writableEnded' | 'writableLength' | 'close'> | undefined;
  /** Aborts when the call has ended, or should. */
  readonly signal: AbortSignal;
  readonly pace: Pace;
  readonly record: RequestRecord;
}

export function messageSender<Message>(options: SenderOptions<Message>): Send<Message> {
  // Reused for each message: the one before has been taken then.
  const scratch = new Scratch();
  return async (message, bytes) => {
    try {
      await options.pace.start().wait(write(options, { ...message, scratch }), bytes);
    } catch (error) {
      if (hasCode(error, 'too_slow')) reset(options);
      throw error;
    }
    options.record.sent += bytes;
  };
}

function write<Message>(options: SenderOptions<Message>, message: Message): Promise<void> {
  const { call, signal, stream } = options;
  return new Promise((resolve, reject) => {
    // grpc-js ends the stream itself when the deadline passes. A write after that would keep the status from being sent.
    if (signal.aborted || stream?.writableEnded === true) return reject(canceled());
    // grpc-js doesn't call back when the call ends before the message was taken.
    const abort = (): void => {
      reset(options);
      reject(canceled());
    };
    signal.addEventListener('abort', abort, { once: true });
    call.write(message, (error) => {
      signal.removeEventListener('abort', abort);
      if (error) reject(canceled(error));
      else resolve();
    });
  });
}

/** Resets a stream whose client doesn't take what was written: a regular end would wait behind that, and keep it in memory. */
function reset({ stream }: Pick<SenderOptions<never>, 'stream'>): void {
  if (stream !== undefined && stream.writableLength > 0) stream.close(constants.NGHTTP2_CANCEL);
}
