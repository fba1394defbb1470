import { StoreError } from '../../core/errors.js';
import { byteRange, type ByteRange } from '../../core/range.js';

/**
 * Parses the Range header as plakar's HTTP API means it, which is not RFC 9110's way: `bytes=A-B` is the bytes from A up to,
 * but not including, B. Throws `invalid_argument` for everything else, with the text of plakar's own server.
 */
export function parseRangeHeader(header: string | undefined): ByteRange | undefined {
  if (header === undefined) return undefined;
  const [, start, end] = /^bytes=(\d{1,20})-(\d{1,20})$/.exec(header) ?? [];
  if (start === undefined || end === undefined) throw invalidRange();
  if (BigInt(end) > maxUint64) throw invalidRange();
  try {
    return byteRange(BigInt(start), BigInt(end) - BigInt(start));
  } catch (error) {
    throw invalidRange(error);
  }
}

const maxUint64 = 2n ** 64n - 1n;

function invalidRange(cause?: unknown): StoreError {
  return new StoreError('invalid_argument', 'Invalid range', { cause });
}
