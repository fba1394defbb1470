import { StoreError } from '../../core/errors.js';

/** How many characters, padding included, `length` bytes have. */
export function encodedLength(length: number): number {
  return Math.ceil(length / 3) * 4;
}

/**
 * How many bytes are encoded at once; a multiple of 3. Texts of this size are freed by V8's quick collections; those of a whole chunk are not, and
 * add up to tens of MiB before a full one.
 */
const pieceBytes = 48 * 1024;

/** Encodes chunks as one text, so that the chunks' ends can't be seen in it. Each chunk is done with when the next is asked for. */
export async function* encodeBase64(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      const bytes = Buffer.concat([rest, chunk.subarray(at, at + pieceBytes)]);
      const whole = bytes.length - (bytes.length % 3);
      if (whole > 0) yield bytes.toString('base64', 0, whole);
      rest = bytes.subarray(whole);
    }
  }
  if (rest.length > 0) yield rest.toString('base64');
}

/**
 * Decodes a text that comes in pieces. Throws `invalid_argument` for what isn't standard base64 with its padding: Node's own
 * decoder skips what it doesn't know, and would make another object of a damaged one.
 */
export class Base64Decoder {
  private rest = '';
  private padded = false;

  /** The bytes of what came so far, as far as they are complete. */
  push(piece: string): Buffer {
    const text = this.rest + piece;
    const whole = text.length - (text.length % 4);
    this.rest = text.slice(whole);
    const complete = text.slice(0, whole);
    if ((this.padded && text !== '') || !/^[A-Za-z0-9+/]*={0,2}$/.test(complete)) throw notBase64();
    this.padded = complete.endsWith('=');
    return Buffer.from(complete, 'base64');
  }

  /** To be called when the text has ended. */
  end(): void {
    if (this.rest !== '') throw notBase64();
  }
}

function notBase64(): StoreError {
  return new StoreError('invalid_argument', 'invalid Data: it has to be base64 with padding');
}
