/** A part of a whole: `length` bytes at `at`. */
export interface Part {
  readonly at: number;
  readonly length: number;
}

/** The fewest parts of `length` bytes that have at most `most` each. They are about equal: a tiny last one costs as much. */
export function splitEvenly(length: number, most: number): Part[] {
  const count = Math.ceil(length / most);
  const usual = Math.ceil(length / count);
  return Array.from({ length: count }, (_, index) => ({
    at: index * usual,
    length: Math.min(usual, length - index * usual),
  }));
}

/** The bytes of `chunks`, in order, in as few and as equal packets of `most` bytes or less as can be. */
export function* packets(chunks: readonly Uint8Array[], most: number): Generator<Buffer, void, undefined> {
  const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (total === 0) return;
  const usual = Math.ceil(total / Math.ceil(total / most));
  let gathered: Uint8Array[] = [];
  let size = 0;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + usual - size);
      gathered.push(part);
      size += part.length;
      at += part.length;
      if (size < usual) continue;
      yield joined(gathered);
      gathered = [];
      size = 0;
    }
  }
  if (size > 0) yield joined(gathered);
}

function joined(parts: readonly Uint8Array[]): Buffer {
  const [only] = parts;
  if (parts.length !== 1 || only === undefined) return Buffer.concat(parts);
  return Buffer.from(only.buffer, only.byteOffset, only.length);
}
