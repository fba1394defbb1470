import type { ObjectRead } from '../../core/store.js';

/** Sends the bytes of a read as chunks, and releases it in every case. `send` resolves when the transport has taken a chunk. */
export async function sendChunks(read: ObjectRead, send: (chunk: Uint8Array) => Promise<void>): Promise<void> {
  let isSent = false;
  try {
    const { data } = read;
    if (data instanceof Uint8Array) await send(data);
    else for await (const chunk of data) await send(chunk);
    isSent = true;
  } finally {
    read.release(isSent);
  }
}
