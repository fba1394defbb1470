import type { Readable } from 'node:stream';
import { canceled, type StoreError } from '../../core/errors.js';
import { chunksOf, readInto } from './chunks.js';
import { fromS3, malformed } from './errors.js';

/** An object's bytes, or a range of them, as they arrive. */
export interface Download {
  /** The whole object's size in bytes. */
  readonly objectSize: number;
  /** How many bytes `body` has. */
  readonly length: number;
  /** Never ends before `length`: it throws a StoreError instead. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Reads the body into a buffer that has room for it, instead of `body`. Fails as that does. */
  readInto(buffer: Buffer): Promise<void>;
  /** Ends the download. Has to be called unless `body` was read to its end; may be called in any case. */
  cancel(): void;
}

/** The bytes from `start` to `end`, both included. */
export interface KeyRange {
  readonly start: number;
  readonly end: number;
}

/** What an answer to GetObject says about its body. */
export interface Extent {
  readonly contentLength: number | undefined;
  /** `bytes 0-99/1234`. */
  readonly contentRange: string | undefined;
}

interface Reading {
  readonly silenceMs: number;
  readonly signal: AbortSignal | undefined;
}

/** What an answer's headers, in lower case, say. */
export function extentOf(headers: Readonly<Record<string, string | undefined>>): Extent {
  const length = headers['content-length'];
  return {
    contentLength: length === undefined ? undefined : Number(length),
    contentRange: headers['content-range'],
  };
}

/**
 * The answer to GetObject. Throws `unavailable` for one that isn't what was asked for: some services cut long ranges, and some ignore that
 * a range was asked for.
 *
 * @param how.silenceMs how long the service may send nothing while bytes are awaited
 * @param how.signal the request's, whose abort closes the connection
 */
export function download(asked: KeyRange | undefined, extent: Extent, stream: Readable, how: Reading): Download {
  const found = asked === undefined ? whole(extent) : part(asked, extent);
  if (found === undefined) {
    stream.destroy();
    throw malformed('GetObject', 'its length or range is not what was asked for');
  }
  const { length } = found;
  return {
    ...found,
    body: bytesOf(stream, length, how),
    readInto: (buffer) => readAll(stream, buffer, length, how),
    cancel: () => void stream.destroy(),
  };
}

/** No bytes of an object. */
export function emptyDownload(objectSize: number): Download {
  return { objectSize, length: 0, body: nothing(), readInto: async () => undefined, cancel: () => undefined };
}

type Size = Pick<Download, 'objectSize' | 'length'>;

function whole({ contentLength }: Extent): Size | undefined {
  return contentLength === undefined ? undefined : { objectSize: contentLength, length: contentLength };
}

function part({ start, end }: KeyRange, { contentLength, contentRange }: Extent): Size | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange ?? '');
  if (match === null) return undefined;
  const [first = NaN, last = NaN, objectSize = NaN] = match.slice(1).map(Number);
  const length = last - first + 1;
  const isAsAsked = first === start && last === Math.min(end, objectSize - 1) && contentLength === length;
  return isAsAsked ? { objectSize, length } : undefined;
}

async function* bytesOf(stream: Readable, length: number, how: Reading): AsyncGenerator<Uint8Array, void, undefined> {
  let got = 0;
  try {
    for await (const chunk of chunksOf(stream, how.silenceMs)) {
      got += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw failure(error, how);
  }
  requireAll(got, length);
}

async function readAll(stream: Readable, buffer: Buffer, length: number, how: Reading): Promise<void> {
  const got = await readInto(buffer, stream, how.silenceMs).catch((error: unknown) => {
    throw failure(error, how);
  });
  requireAll(got, length);
}

function failure(error: unknown, { signal }: Reading): StoreError {
  // The connection was closed for that.
  return signal?.aborted ? canceled(error) : fromS3(error, 'GetObject');
}

function requireAll(got: number, length: number): void {
  if (got !== length) throw malformed('GetObject', `it ended after ${got} of ${length} bytes`);
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {
  // There is nothing to yield.
}
