/** Fewer backups make no habit. */
const fewest = 5;

/** How many times the usual is a lot, and what part of the least so far is next to nothing. */
const factor = 10;

/** Differences of less than that are never worth a message, in bytes. */
const floorBytes = 1024 ** 2;

/**
 * What is unusual about a backup's new bytes, compared with the backups before it; undefined: nothing. A lot of new data is what a machine
 * uploads whose files were encrypted by an attacker, next to nothing what is left of an empty mount. Days that have differed before are not
 * unusual: a lot is more than ten times the median and twice the largest; next to nothing is less than a tenth of the smallest.
 *
 * @param before the new bytes of the caller's last backups into the store
 */
export function unusual(newBytes: number, before: readonly number[]): 'much' | 'little' | undefined {
  if (before.length < fewest) return undefined;
  const sorted = before.toSorted((a, b) => a - b);
  const [smallest = 0] = sorted;
  const largest = sorted.at(-1) ?? 0;
  const isMuch = newBytes > factor * median(sorted) && newBytes > 2 * largest && newBytes - largest > floorBytes;
  if (isMuch) return 'much';
  return newBytes < smallest / factor && smallest - newBytes > floorBytes ? 'little' : undefined;
}

/** Of the bytes of several backups; 0 of none. */
export function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
