import { StoreError } from '../../core/errors.js';
import { clip, type ByteRange } from '../../core/range.js';
import type { ObjectRead } from '../../core/store.js';
import { mapAhead } from '../../lib/map-ahead.js';
import { BufferPool } from '../../lib/buffer-pool.js';
import type { FileSystem, ReadableFile } from './file-system.js';

/** Up to here an answer is one buffer. */
const smallBytes = 256 * 1024;

/**
 * Larger ones come in chunks of this size. Measured best: with 1 MiB, which is all that many a core's cache holds, sending 256 MiB takes
 * 15 % longer, and an object of just that size is read as a whole before any of it is sent.
 */
const chunkBytes = 896 * 1024;

/** What the reads of a store have in common. */
export class SharedReads {
  /** Where bytes are held meanwhile. */
  readonly pool = new BufferPool();
  /** How many are under way that come in chunks. */
  large = 0;

  constructor(private readonly files: Pick<FileSystem, 'readAhead'>) {}

  /** How many chunks another one reads before they are asked for. */
  get ahead(): number {
    return this.files.readAhead(this.large);
  }
}

/** A read of an open file, or a range of it. Closes the file when done, in every outcome. */
export async function readObject(
  file: ReadableFile,
  range: ByteRange | undefined,
  reads: SharedReads,
): Promise<ObjectRead> {
  const { offset, length } = clip(range, file.size);
  if (length > smallBytes) {
    const data = readChunks(file, offset, length, reads.ahead, reads.pool);
    reads.large++;
    const release = (): void => {
      reads.large--;
      void file.close();
    };
    return { objectSize: file.size, length, data, release };
  }
  const read = new SmallRead(file.size, length, reads.pool);
  try {
    await readExactly(file, read.data, offset, length);
    return read;
  } finally {
    await file.close();
  }
}

/**
 * The same as `readObject`, without waiting and without closing the file; undefined where that can't be, or where anything is
 * out of the ordinary.
 */
export function readObjectNow(file: ReadableFile, range: ByteRange, { pool }: SharedReads): ObjectRead | undefined {
  const { offset, length } = clip(range, file.size);
  if (file.readNow === undefined || length > smallBytes || length === 0) return undefined;
  const read = new SmallRead(file.size, length, pool);
  try {
    if (file.readNow(read.data, offset, length) === length) return read;
  } catch {
    // It is tried again, and told of then.
  }
  read.release(true);
  return undefined;
}

/** An answer in one buffer, which has its bytes once they are read into `data`. */
class SmallRead implements ObjectRead {
  readonly data: Buffer;
  private readonly buffer: Buffer;

  constructor(
    readonly objectSize: number,
    readonly length: number,
    private readonly pool: BufferPool,
  ) {
    this.buffer = pool.take(length);
    this.data = this.buffer.subarray(0, length);
  }

  release(sent?: boolean): void {
    if (sent) this.pool.give(this.buffer);
  }
}

/**
 * The bytes of an open file from `offset` on, in order; each chunk is valid until the next one is asked for.
 *
 * @param ahead how many chunks are read before they are asked for
 */
export async function* readChunks(
  file: ReadableFile,
  offset: number,
  length: number,
  ahead: number,
  pool = new BufferPool(),
): AsyncGenerator<Uint8Array, void, undefined> {
  // One for each chunk that is under way: the next read begins when the consumer is done with the oldest one.
  const buffers: Buffer[] = [];
  let turn = 0;
  const chunks = mapAhead(offsets(offset, length), ahead, async (at) => {
    const index = turn++ % ahead;
    const buffer = (buffers[index] ??= pool.take(chunkBytes));
    const size = Math.min(chunkBytes, offset + length - at);
    await readExactly(file, buffer, at, size);
    return buffer.subarray(0, size);
  });
  let whole = false;
  try {
    yield* chunks;
    whole = true;
  } finally {
    // Where the client went away in the middle, its socket may still hold on to the last chunk.
    if (whole) for (const buffer of buffers) pool.give(buffer);
  }
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
