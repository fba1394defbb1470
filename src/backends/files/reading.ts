import { StoreError } from '../../core/errors.js';
import { clip, type ByteRange } from '../../core/range.js';
import type { ObjectRead } from '../../core/store.js';
import { mapAhead } from '../../core/map-ahead.js';
import type { ReadableFile } from './file-system.js';

/** Up to here an answer is one buffer. */
const smallBytes = 256 * 1024;

/** Larger ones come in chunks of this size: measured best, see docs/performance.md of the project's benchmarks. */
export const chunkBytes = 1024 * 1024;

/**
 * A read of an open file, or a range of it. Closes the file when done, in every outcome.
 *
 * @param ahead how many chunks are read before they are asked for
 */
export async function readObject(file: ReadableFile, range: ByteRange | undefined, ahead: number): Promise<ObjectRead> {
  const { offset, length } = clip(range, file.size);
  const about = { objectSize: file.size, length };
  if (length > smallBytes) {
    return { ...about, data: readChunks(file, offset, length, ahead), release: () => void file.close() };
  }
  try {
    const data = Buffer.allocUnsafe(length);
    await readExactly(file, data, offset, length);
    return { ...about, data, release: () => undefined };
  } finally {
    await file.close();
  }
}

/** The bytes of an open file from `offset` on, in order; each chunk is valid until the next one is asked for. */
export async function* readChunks(
  file: ReadableFile,
  offset: number,
  length: number,
  ahead: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  // One buffer for each chunk that is under way, and one for the chunk that the consumer has.
  const buffers: Buffer[] = [];
  let turn = 0;
  const chunks = mapAhead(offsets(offset, length), ahead, async (at) => {
    const index = turn++ % (ahead + 1);
    const buffer = (buffers[index] ??= Buffer.allocUnsafeSlow(chunkBytes));
    const size = Math.min(chunkBytes, offset + length - at);
    await readExactly(file, buffer, at, size);
    return buffer.subarray(0, size);
  });
  yield* chunks;
}

function* offsets(offset: number, length: number): Generator<number, void, undefined> {
  for (let at = offset; at < offset + length; at += chunkBytes) yield at;
}

async function readExactly(file: ReadableFile, target: Uint8Array, offset: number, length: number): Promise<void> {
  const got = length === 0 ? 0 : await file.read(target, offset, length);
  if (got !== length) {
    throw new StoreError('internal', 'the object became shorter while it was read: its store is damaged');
  }
}
