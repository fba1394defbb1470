import { Metadata } from '@grpc/grpc-js';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { canceled, hasCode } from '../../core/errors.js';
import { fewer } from '../gatherer.js';
import type { Pace } from '../pace.js';
import { streamOf } from './connection.js';
import type { Encode } from './framing.js';

/** Sends one message. Resolves when the transport has taken its bytes: only then may the buffers in it be used again. */
export type Send<Message> = (message: Message) => Promise<void>;

export interface MessageSenderOptions<Message> {
  readonly encode: Encode<Message>;
  /** Aborts when nobody waits for messages any more: sending fails with `canceled` then. */
  readonly signal: AbortSignal;
  readonly pace: Pace;
}

/** Messages that go out together. */
interface Batch<Message> {
  readonly messages: Message[];
  readonly sent: Promise<void>;
}

/**
 * Sends a call's messages on its HTTP/2 stream itself: grpc-js would copy each one, twice, and costs more than a small one is
 * worth. Those of one turn of the event loop go out as one write.
 */
export class MessageSender<Message> {
  private readonly stream: ServerHttp2Stream;
  private gathering: Batch<Message> | undefined;
  /** End the writes that are under way, whatever becomes of them. */
  private readonly loseWrites = new Set<() => void>();

  /** @param call one of grpc-js, on which nothing else is sent but its status */
  constructor(
    private readonly call: { sendMetadata(metadata: Metadata): void },
    private readonly options: MessageSenderOptions<Message>,
  ) {
    this.stream = streamOf(call);
    options.signal.addEventListener('abort', () => {
      // The client may be there, and its time up: what it doesn't take would stay in memory as long as its connection.
      if (this.loseWrites.size > 0) this.stream.close(constants.NGHTTP2_CANCEL);
      this.loseWrites.forEach((lose) => lose());
    });
  }

  /** See Send. Several may be under way at once. */
  send(message: Message): Promise<void> {
    const batch = (this.gathering ??= this.begin());
    batch.messages.push(message);
    return batch.sent;
  }

  private begin(): Batch<Message> {
    const messages: Message[] = [];
    return { messages, sent: nextTurn().then(() => this.flush(messages)) };
  }

  private async flush(messages: readonly Message[]): Promise<void> {
    this.gathering = undefined;
    const pieces = this.options.encode(messages);
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    try {
      await this.options.pace.start().wait(this.write(pieces), bytes);
    } catch (error) {
      // The status would wait behind what the client doesn't take, and that in memory.
      if (hasCode(error, 'too_slow')) this.stream.close(constants.NGHTTP2_CANCEL);
      throw error;
    }
  }

  private write(messages: readonly Uint8Array[]): Promise<void> {
    const { stream } = this;
    return new Promise((resolve, reject) => {
      const lose = (): void => reject(canceled());
      if (!stream.headersSent) this.call.sendMetadata(new Metadata());
      // Its status may have been sent already: grpc-js does that when the call's time is up.
      if (this.options.signal.aborted || stream.closed || stream.writableEnded) return lose();
      this.loseWrites.add(lose);
      const pieces = fewer(messages);
      const last = pieces.length - 1;
      stream.cork();
      for (const piece of pieces.slice(0, last)) stream.write(piece);
      stream.write(pieces[last], (error) => {
        this.loseWrites.delete(lose);
        if (error) return reject(canceled(error));
        resolve();
      });
      stream.uncork();
    });
  }
}
