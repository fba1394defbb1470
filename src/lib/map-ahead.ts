/**
 * Maps `items` in order, with up to `concurrency` calls of `map` running ahead of the consumer. The first failure ends the iteration.
 * When it ends early, for whatever reason, it first waits for the calls that are running, so that the caller may then release what they use.
 */
export async function* mapAhead<T, R>(
  items: Iterable<T>,
  concurrency: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const source = items[Symbol.iterator]();
  const running: Promise<R>[] = [];
  const start = (): void => {
    const next = source.next();
    if (next.done === true) return;
    const result = map(next.value);
    // A failure is thrown when its result is due; until then it is not an unhandled rejection.
    result.catch(() => undefined);
    running.push(result);
  };
  try {
    for (let i = 0; i < concurrency; i++) start();
    for (let next = running.shift(); next !== undefined; next = running.shift()) {
      const result = await next;
      yield result;
      start();
    }
  } finally {
    await Promise.allSettled(running);
  }
}
