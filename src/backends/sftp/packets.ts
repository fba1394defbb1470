/** A part of a whole: `length` bytes at `at`. */
export interface Part {
  readonly at: number;
  readonly length: number;
}

/** Splits `length` bytes into as few parts of at most `max` bytes as possible, of equal size: a tiny last part would cost as much. */
export function splitEvenly(length: number, max: number): Part[] {
  const count = Math.ceil(length / max);
  const size = Math.ceil(length / count);
  return Array.from({ length: count }, (_, index) => ({
    at: index * size,
    length: Math.min(size, length - index * size),
  }));
}

/** The bytes of `chunks`, in order, in as few packets of at most `max` bytes as possible, of equal size. A single chunk isn't copied. */
export function packets(chunks: readonly Uint8Array[], max: number): Buffer[] {
  const [first] = chunks;
  const isSingle = chunks.length === 1 && first !== undefined;
  const whole = isSingle ? Buffer.from(first.buffer, first.byteOffset, first.length) : Buffer.concat(chunks);
  return splitEvenly(whole.length, max).map(({ at, length }) => whole.subarray(at, at + length));
}
