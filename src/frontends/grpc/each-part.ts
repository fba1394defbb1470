import type { Readable } from 'node:stream';
import { canceled } from '../../core/errors.js';

/** What is worked on alone. */
export interface Part {
  /** How many others it counts for, as it takes so much memory; 1 for most. */
  readonly weight: number;
}

/**
 * Does some work for each part of each message of a client's stream: for `atOnce` at the same time, and the client's further messages wait.
 * Resolves when the client has sent all of them and all work is done. Where some work fails no more is begun; this fails then, when
 * the rest is done, with what came first. The same where the client is gone.
 *
 * @param partsOf may throw, which is as if work failed
 */
export function eachPart<Message, P extends Part>(
  messages: Readable,
  partsOf: (message: Message) => readonly P[],
  atOnce: number,
  work: (part: P) => Promise<void>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    /** Of the messages that came; those before `next` are begun. */
    let parts: readonly P[] = [];
    let next = 0;
    let underWay = 0;
    let ended = false;
    let failure: { readonly error: unknown } | undefined;
    const settle = (): void => {
      if (underWay > 0) return;
      if (failure !== undefined) reject(failure.error as Error);
      else if (ended && next === parts.length) resolve();
    };
    const fail = (error: unknown): void => {
      failure ??= { error };
      messages.removeListener('data', take);
      settle();
    };
    const done = ({ weight }: P): void => {
      underWay -= weight;
      begin();
      settle();
    };
    const begin = (): void => {
      for (; next < parts.length && failure === undefined; next++) {
        const part = parts[next] as P;
        // One that is heavier than all that may be is done alone.
        if (underWay > 0 && underWay + part.weight > atOnce) break;
        underWay += part.weight;
        work(part)
          .catch(fail)
          .then(() => done(part), fail);
      }
      if (underWay >= atOnce || (next < parts.length && failure === undefined)) messages.pause();
      else if (messages.isPaused()) messages.resume();
    };
    const take = (message: Message): void => {
      try {
        parts = parts.slice(next).concat(partsOf(message));
      } catch (error) {
        return fail(error);
      }
      next = 0;
      begin();
    };
    // Not by iterating, which costs more than most of the work.
    messages.on('data', take);
    messages.once('end', () => {
      ended = true;
      settle();
    });
    messages.once('close', () => ended || fail(canceled()));
    // It may have been gone before anybody listened.
    if (messages.destroyed) fail(canceled());
  });
}
