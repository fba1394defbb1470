import type { ObjectRef } from './object.js';
import { headerBytes } from './serialized-object.js';
import type { OpContext, Store } from './store.js';

/** An object's header, shorter only where the whole object is, and its size in bytes. `not_found`. */
export async function readHeader(
  store: Pick<Store, 'get'>,
  ref: ObjectRef,
  ctx: OpContext,
): Promise<{ readonly header: Uint8Array; readonly size: number }> {
  const read = await store.get(ref, { offset: 0, length: headerBytes }, ctx);
  const { objectSize: size, data } = read;
  try {
    if (data instanceof Uint8Array) return { header: Buffer.from(data), size };
    const chunks: Uint8Array[] = [];
    for await (const chunk of data) chunks.push(Buffer.from(chunk));
    return { header: Buffer.concat(chunks), size };
  } finally {
    read.release();
  }
}
