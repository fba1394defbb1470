import type { PutObjectRequest } from '../../gen/kloset/store/v1/store.js';
import type { ObjectRef } from '../core/object.js';
import { toRef } from '../wire/objects.js';

/** The largest chunk of an upload, in bytes. */
const chunkBytes = 1024 * 1024;

/** The messages of an upload: the header, the bytes in chunks, and the finish, without which the gateway stores nothing. */
export async function* putMessages(
  store: string,
  ref: ObjectRef,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<PutObjectRequest, void, undefined> {
  yield { part: { $case: 'header', value: { store, ref: toRef(ref) } } };
  let length = 0;
  for await (const bytes of body) {
    length += bytes.length;
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      yield { part: { $case: 'chunk', value: bytes.subarray(at, at + chunkBytes) } };
    }
  }
  yield { part: { $case: 'finish', value: { length: BigInt(length) } } };
}
