import type { ObjectRead } from '../core/store.js';

/** Sends the bytes of a read, and releases it in every case. `send` resolves when the transport has taken all bytes. */
export async function sendRead(read: ObjectRead, send: (data: ObjectRead['data']) => Promise<void>): Promise<void> {
  let sent = false;
  try {
    await send(read.data);
    sent = true;
  } finally {
    read.release(sent);
  }
}

/** Like sendRead, for protocols that send a message for each chunk. */
export function sendChunks(read: ObjectRead, send: (chunk: Uint8Array) => Promise<void>): Promise<void> {
  return sendRead(read, async (data) => {
    if (data instanceof Uint8Array) return send(data);
    for await (const chunk of data) await send(chunk);
  });
}
