import { StoreError } from './errors.js';

/** A part of an object: `offset` bytes from its start, `length` bytes long. */
export interface ByteRange {
  /** 0 to 2⁵³−1. */
  readonly offset: number;
  /** 1 to 2³²−1. */
  readonly length: number;
}

/** The longest range: kloset stores lengths within packfiles as 32 bits. */
export const maxRangeLength = 2 ** 32 - 1;

/**
 * Checks the numbers of a request. Throws `invalid_argument` for a length outside 1 to 2³²−1 or a negative offset. A larger offset
 * than 2⁵³−1 becomes 2⁵³−1: both are past the end of any object.
 */
export function byteRange(offset: bigint, length: bigint): ByteRange {
  if (offset < 0n) throw new StoreError('invalid_argument', 'invalid range: the offset has to be 0 or more');
  if (length < 1n || length > BigInt(maxRangeLength)) {
    throw new StoreError('invalid_argument', `invalid range: the length has to be from 1 to ${maxRangeLength} bytes`);
  }
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  return { offset: Number(offset < limit ? offset : limit), length: Number(length) };
}

/** Clips a range to an object of `size` bytes, possibly to a length of 0. Without a range it is the whole object. */
export function clip(range: ByteRange | undefined, size: number): { offset: number; length: number } {
  if (range === undefined) return { offset: 0, length: size };
  const offset = Math.min(range.offset, size);
  return { offset, length: Math.min(range.length, size - offset) };
}
