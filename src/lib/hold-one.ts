import type { Readable } from 'node:stream';

/**
 * Has a stream of objects hold no more than one that nobody has asked for yet. By default it is 16, and a message of gRPC may have 4 MiB. Only
 * who makes a stream can tell it otherwise, so this reaches into it, and throws should its inside change. Before anything is read.
 */
export function holdOne(stream: Readable): void {
  const { _readableState: state } = stream as { _readableState?: { highWaterMark?: unknown } };
  if (typeof state?.highWaterMark !== 'number') throw new Error('a stream without its state');
  state.highWaterMark = 1;
}
