import { StoreError } from '../../core/errors.js';
import { clip, type ByteRange } from '../../core/range.js';
import type { ObjectRead } from '../../core/store.js';
import { buffers } from '../../lib/buffer-pool.js';
import { mapAhead } from '../../lib/map-ahead.js';
import type { FileSystem, ReadableFile } from './file-system.js';

/** Answers of up to this size are one buffer. */
const smallBytes = 256 * 1024;

/**
 * The chunk size of larger ones. Measured best: with 1 MiB, which is all of many a core's cache, sending 256 MiB takes 15 % longer, and an
 * object of just that size is read as a whole before any of it is sent.
 */
const chunkBytes = 896 * 1024;

/** Reads the objects of one store. */
export class ObjectReader {
  /** How many reads that come in chunks are in progress. */
  private streams = 0;

  constructor(private readonly files: Pick<FileSystem, 'readAhead'>) {}

  /** Reads an open file, or a range of it. Closes the file when done, in every outcome. */
  async read(file: ReadableFile, range: ByteRange | undefined): Promise<ObjectRead> {
    const { offset, length } = clip(range, file.size);
    if (length > smallBytes) return this.stream(file, offset, length);
    const buffer = buffers.take(length);
    try {
      await readExactly(file, buffer, offset, length);
    } finally {
      await file.close();
    }
    const release = (sent?: boolean): void => {
      if (sent) buffers.give(buffer);
    };
    return { objectSize: file.size, length, data: buffer.subarray(0, length), release };
  }

  private stream(file: ReadableFile, offset: number, length: number): ObjectRead {
    const data = readChunks(file, offset, length, this.files.readAhead(this.streams));
    this.streams++;
    const release = (): void => {
      this.streams--;
      void file.close();
    };
    return { objectSize: file.size, length, data, release };
  }
}

/**
 * The bytes of an open file from `offset` on, in order. Each chunk is valid until the next one is asked for.
 *
 * @param ahead how many reads are in progress at once
 */
export async function* readChunks(
  file: ReadableFile,
  offset: number,
  length: number,
  ahead: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  // A ring of buffers: a chunk's is free again once the next chunk is asked for.
  const ring: Buffer[] = [];
  let next = 0;
  const chunks = mapAhead(offsets(offset, length), ahead, async (at) => {
    const index = next++ % ahead;
    const buffer = (ring[index] ??= buffers.take(chunkBytes));
    const size = Math.min(chunkBytes, offset + length - at);
    await readExactly(file, buffer, at, size);
    return buffer.subarray(0, size);
  });
  let completed = false;
  try {
    yield* chunks;
    completed = true;
  } finally {
    // After an interrupted transfer a socket may still refer to the last chunk.
    if (completed) for (const buffer of ring) buffers.give(buffer);
  }
}

/** All bytes of an open file, in chunks that belong to the caller. */
export async function* readCopies(file: ReadableFile, ahead: number): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of readChunks(file, 0, file.size, ahead)) yield Buffer.from(chunk);
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
