import type { Readable } from 'node:stream';
import { canceled } from '../../core/errors.js';

/**
 * Does some work for each message of a client's stream: for `atOnce` at the same time, and the client's further ones wait. Resolves
 * when the client has sent all of them and all work is done. Where some work fails no more is begun; this fails then, when the rest
 * is done, with what came first. The same where the client is gone.
 */
export function eachMessage<Message>(
  messages: Readable,
  atOnce: number,
  work: (message: Message) => Promise<void>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let underWay = 0;
    let ended = false;
    let failure: { readonly error: unknown } | undefined;
    const settle = (): void => {
      if (underWay > 0) return;
      if (failure !== undefined) reject(failure.error as Error);
      else if (ended) resolve();
    };
    const fail = (error: unknown): void => {
      failure ??= { error };
      messages.removeListener('data', begin);
      settle();
    };
    const done = (): void => {
      underWay--;
      if (messages.isPaused()) messages.resume();
      settle();
    };
    const begin = (message: Message): void => {
      if (++underWay >= atOnce) messages.pause();
      work(message).catch(fail).then(done, fail);
    };
    // Not by iterating, which costs more than most of the work.
    messages.on('data', begin);
    messages.once('end', () => {
      ended = true;
      settle();
    });
    messages.once('close', () => ended || fail(canceled()));
    // It may have been gone before anybody listened.
    if (messages.destroyed) fail(canceled());
  });
}
