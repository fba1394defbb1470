/**
 * Does something with each of the items, started in their order, up to `concurrency` at a time: whenever one is done, the next is started.
 * Fails with the first error, once none is running.
 */
export async function forEachAhead<T>(
  items: Iterable<T>,
  concurrency: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const source = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const workOn = async (): Promise<void> => {
    while (failures.length === 0) {
      const next = source.next();
      if (next.done === true) return;
      await work(next.value).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, workOn));
  if (failures.length === 0) return;
  source.return?.();
  throw failures[0];
}
