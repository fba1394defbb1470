import { mapAhead } from './map-ahead.js';

/**
 * All items of `sources`, in order. The first items of up to `concurrency` sources are asked for ahead of the consumer. The first failure
 * ends the iteration. Whenever it ends, so have those of the sources.
 */
export async function* concatAhead<T>(
  sources: Iterable<AsyncIterable<T>>,
  concurrency: number,
): AsyncGenerator<T, void, undefined> {
  const open = new Set<AsyncIterator<T>>();
  const start = async (source: AsyncIterable<T>): Promise<[AsyncIterator<T>, IteratorResult<T>]> => {
    const iterator = source[Symbol.asyncIterator]();
    open.add(iterator);
    return [iterator, await iterator.next()];
  };
  try {
    for await (const [iterator, first] of mapAhead(sources, concurrency, start)) {
      for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
      open.delete(iterator);
    }
  } finally {
    await Promise.allSettled([...open].map((iterator) => iterator.return?.()));
  }
}
