import type { GetObjectResponse } from '../../gen/kloset/store/v1/store.js';
import { StoreError } from '../core/errors.js';

/** An object's bytes, as they arrive. */
export interface Download {
  /** The whole object's size in bytes. */
  readonly objectSize: number;
  /** How many bytes this answer has. */
  readonly length: number;
  /** The bytes; can be iterated once. Throws where they end before `length`. Ending the iteration early cancels the call. */
  readonly chunks: AsyncGenerator<Uint8Array, void, undefined>;
}

/** Makes a download of an answer's messages. Fails where they fail before the first one. */
export async function downloadOf(messages: AsyncGenerator<GetObjectResponse, void, undefined>): Promise<Download> {
  const first = await messages.next();
  const header = first.done === true ? undefined : first.value.header;
  if (first.done === true || header === undefined) {
    await messages.return();
    throw new StoreError('internal', 'the answer has no header: is this a kloset-gateway?');
  }
  const length = Number(header.length);
  const chunks = chunksOf(first.value.chunk, messages, length);
  // A generator that hasn't started would ignore `return`, and the call would go on.
  await chunks.next();
  return { objectSize: Number(header.objectSize), length, chunks };
}

/** The bytes of an answer, after an empty chunk. */
async function* chunksOf(
  first: Uint8Array,
  messages: AsyncGenerator<GetObjectResponse, void, undefined>,
  length: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let got = first.length;
  try {
    yield new Uint8Array();
    if (first.length > 0) yield first;
    for await (const { chunk } of messages) {
      got += chunk.length;
      yield chunk;
    }
  } finally {
    await messages.return();
  }
  if (got !== length)
    throw new StoreError('unavailable', `the answer ended after ${got} of ${length} bytes: try again`);
}
