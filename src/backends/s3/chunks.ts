import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

/**
 * The chunks of an answer's body. Fails with ETIMEDOUT where the service sends nothing for `silenceMs` while the next chunk is awaited;
 * the receiver may take as long as it likes for each.
 */
export async function* chunksOf(stream: Readable, silenceMs: number): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  try {
    for (;;) {
      const timer = setTimeout(() => stream.destroy(silence(silenceMs)), silenceMs);
      const { done, value } = await chunks.next().finally(() => clearTimeout(timer));
      if (done === true) return;
      yield value;
    }
  } finally {
    stream.destroy();
  }
}

/**
 * Reads an answer's body into a buffer, which takes less CPU time than iterating over its chunks. Resolves to the body's length, also where the
 * buffer has no room for all of it. Fails with ETIMEDOUT where the service sends nothing for `silenceMs`.
 */
export function readInto(buffer: Buffer, stream: Readable, silenceMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let length = 0;
    const timer = setTimeout(() => stream.destroy(silence(silenceMs)), silenceMs);
    stream.on('data', (chunk: Buffer) => {
      timer.refresh();
      chunk.copy(buffer, length);
      length += chunk.length;
    });
    stream.once('end', () => resolve(length));
    stream.once('error', reject);
    // After the others, or alone if the stream was destroyed.
    stream.once('close', () => {
      clearTimeout(timer);
      reject(new Error('the answer broke off'));
    });
  });
}

/** Has a body that is read without a pause fail with ETIMEDOUT where nothing comes for `silenceMs`. */
export function limitSilence(body: IncomingMessage, silenceMs: number): void {
  const { socket } = body;
  const onSilence = (): void => void body.destroy(silence(silenceMs));
  socket.setTimeout(silenceMs);
  socket.on('timeout', onSilence);
  // The agent resets the time of sockets that it keeps.
  body.once('close', () => socket.off('timeout', onSilence));
}

function silence(ms: number): Error {
  return Object.assign(new Error(`nothing came for ${ms} ms`), { code: 'ETIMEDOUT' });
}
