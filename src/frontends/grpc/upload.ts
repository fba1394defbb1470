import type { PutObjectRequest } from '../../../gen/kloset/store/v1/store.js';
import { StoreError } from '../../core/errors.js';
import type { ObjectRef } from '../../core/object.js';
import type { RequestRecord } from '../../core/request.js';
import { fromRef } from '../../wire/objects.js';

export interface Upload {
  /** The store's name. */
  readonly store: string;
  readonly ref: ObjectRef;
  /** The object's bytes. Throws `invalid_argument` at the end where the finish is missing or has another length. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Reads the header of an upload; its body is read later, up to the finish. Without a finish the upload was cut off: the messages of a
 * client that cancels may end like those of a complete upload.
 */
export async function parseUpload(messages: AsyncIterable<PutObjectRequest>, record: RequestRecord): Promise<Upload> {
  const source = messages[Symbol.asyncIterator]();
  const first = await source.next();
  const part = first.done === true ? undefined : first.value.part;
  if (part?.$case !== 'header') throw new StoreError('invalid_argument', 'an upload has to start with its header');
  const { store, ref } = part.value;
  return { store, ref: fromRef(ref), body: uploadBody({ [Symbol.asyncIterator]: () => source }, record) };
}

async function* uploadBody(
  messages: AsyncIterable<PutObjectRequest>,
  record: RequestRecord,
): AsyncGenerator<Uint8Array, void, undefined> {
  let length = 0;
  let announced: bigint | undefined;
  for await (const { part } of messages) {
    if (announced !== undefined) throw new StoreError('invalid_argument', 'an upload has to end with its finish');
    switch (part?.$case) {
      case 'chunk':
        length += part.value.length;
        record.received += part.value.length;
        yield part.value;
        break;
      case 'finish':
        announced = part.value.length;
        break;
      case 'header':
      case undefined:
        throw new StoreError('invalid_argument', 'after its header, an upload has chunks and a finish');
    }
  }
  if (announced === undefined) {
    throw new StoreError(
      'invalid_argument',
      'the upload ended without its finish: it was cut off, and nothing is stored',
    );
  }
  if (announced !== BigInt(length)) {
    const text = `the upload has ${length} bytes and its finish says ${announced}: some were lost, and nothing is stored`;
    throw new StoreError('invalid_argument', text);
  }
}
