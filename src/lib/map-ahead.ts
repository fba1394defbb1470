/**
 * Maps `items` in order, with up to `ahead` calls of `work` under way at once: the next ones run while the consumer is busy
 * with the last. The first failure ends it. When the consumer stops early, what is under way is waited for, so that whatever
 * `work` uses can be released afterwards.
 */
export async function* mapAhead<T, R>(
  items: Iterable<T>,
  ahead: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const source = items[Symbol.iterator]();
  const underWay: Promise<R>[] = [];
  const start = (): void => {
    const next = source.next();
    if (next.done === true) return;
    const result = work(next.value);
    // A failure is thrown when its turn comes; until then it is not an unhandled one.
    result.catch(() => undefined);
    underWay.push(result);
  };
  try {
    for (let i = 0; i < ahead; i++) start();
    for (let next = underWay.shift(); next !== undefined; next = underWay.shift()) {
      const result = await next;
      yield result;
      start();
    }
  } finally {
    await Promise.allSettled(underWay);
  }
}
