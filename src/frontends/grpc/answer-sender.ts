import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { RangeAnswer, ReadRangesResponse } from '../../../gen/kloset/store/v1/store.js';
import type { Send } from './message-sender.js';

/** An answer to a read, or a piece of one. */
export interface Answer extends RangeAnswer {
  /** Whether it may share a message with others. */
  readonly shares: boolean;
}

interface Queued {
  readonly answer: Answer;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The most bytes of answers that share a message: well below the 4 MiB that clients accept. */
const maxSharedBytes = 256 * 1024;

/** Sends the answers of a ReadRanges call, in the order in which they are ready. Answers that wait may share a message. */
export class AnswerSender {
  private queue: Queued[] = [];
  private isSending = false;

  constructor(private readonly sendMessage: Send<ReadRangesResponse>) {}

  /** Resolves when the transport has taken the answer; fails as Send does. */
  send(answer: Answer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.queue.push({ answer, resolve, reject });
      if (!this.isSending) void this.sendQueue();
    });
  }

  private async sendQueue(): Promise<void> {
    this.isSending = true;
    while (this.queue.length > 0) {
      // Other reads may end in the same turn of the event loop.
      await yieldToEventLoop();
      const batch = this.nextBatch();
      const answers = batch.map(({ answer }) => answer);
      try {
        await this.sendMessage(
          messageOf(answers),
          answers.reduce((sum, { chunk }) => sum + chunk.length, 0),
        );
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error as Error);
      }
    }
    this.isSending = false;
  }

  /** Takes the answers for one message from the queue. */
  private nextBatch(): Queued[] {
    let bytes = 0;
    let count = 0;
    for (const { answer } of this.queue) {
      bytes += answer.chunk.length;
      if (count > 0 && (!answer.shares || bytes > maxSharedBytes)) break;
      count++;
      if (!answer.shares) break;
    }
    return this.queue.splice(0, count);
  }
}

function messageOf(answers: readonly Answer[]): ReadRangesResponse {
  const [first] = answers;
  if (first !== undefined && !first.shares) return { ...first, answers: [] };
  return { tag: 0n, chunk: new Uint8Array(), last: false, error: undefined, answers: [...answers] };
}
