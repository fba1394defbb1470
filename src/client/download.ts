import type { GetObjectResponse } from '../../gen/kloset/store/v1/store.js';
import { StoreError } from '../core/errors.js';

/** An object's bytes on their way. */
export interface Download {
  /** The whole object's size, and how many bytes this answer has. */
  readonly objectSize: number;
  readonly length: number;
  /** The bytes, once. They throw where they end too early; who stops early ends the call. */
  readonly chunks: AsyncGenerator<Uint8Array, void, undefined>;
}

/** The download that the messages of an answer are. Fails as they do, until the first of them is there. */
export async function downloadOf(messages: AsyncGenerator<GetObjectResponse, void, undefined>): Promise<Download> {
  const first = await messages.next();
  const header = first.done === true ? undefined : first.value.header;
  if (first.done === true || header === undefined) {
    await messages.return();
    throw new StoreError('internal', 'the gateway answered without a header: is it one?');
  }
  const length = Number(header.length);
  const chunks = chunksOf(first.value.chunk, messages, length);
  // From here on, to return it is to end the call, also before its first chunk was asked for.
  await chunks.next();
  return { objectSize: Number(header.objectSize), length, chunks };
}

/** The bytes of an answer, after one empty chunk. */
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
