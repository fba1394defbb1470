/**
 * All items of `sources`, which are read at once: each is asked for its next item as soon as the last one was taken. The first failure ends
 * the iteration. Whenever it ends, so have those of the sources.
 */
export async function* merged<T>(sources: Iterable<AsyncIterable<T>>): AsyncGenerator<T, void, undefined> {
  const open = new Map<AsyncIterator<T>, Promise<readonly [AsyncIterator<T>, IteratorResult<T>]>>();
  const ask = (iterator: AsyncIterator<T>): void => {
    const next = iterator.next().then((result) => [iterator, result] as const);
    // A failure is thrown when it is waited for; until then it is not an unhandled rejection.
    next.catch(() => undefined);
    open.set(iterator, next);
  };
  try {
    for (const source of sources) ask(source[Symbol.asyncIterator]());
    while (open.size > 0) {
      const [iterator, next] = await Promise.race(open.values());
      if (next.done === true) open.delete(iterator);
      else {
        ask(iterator);
        yield next.value;
      }
    }
  } finally {
    await Promise.allSettled([...open.keys()].map((iterator) => iterator.return?.()));
  }
}
