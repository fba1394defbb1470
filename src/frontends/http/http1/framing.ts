import { StoreError } from '../../../core/errors.js';
import { isField, token } from './head.js';

/** How many bytes there may be besides the chunks themselves in one line: a chunk's size with its extensions, a trailer. */
const maxLineBytes = 8 * 1024;

/** And how many in all trailers. */
const maxTrailerBytes = 16 * 1024;

/** None, or some with a name each, and perhaps a value (RFC 9112, 7.1.1). */
const extensions = new RegExp(`^(?:;${token}(?:=(?:${token}|"(?:[^"\\\\]|\\\\.)*"))?)*$`);

/** A chunk's size has as many digits at most: what is longer couldn't be counted. */
const maxSizeDigits = 12;

const cr = 13;
const lf = 10;
const semicolon = 59;

/** What comes next of a body (RFC 9112, 7.1). Where it isn't in chunks, it is all data. */
type Next =
  | 'data'
  | 'CR of data'
  | 'LF of data'
  | 'first digit'
  | 'digit'
  | 'extension'
  | 'LF of size'
  | 'trailers'
  | 'trailer'
  | 'LF of trailer'
  | 'last LF'
  | 'nothing';

/** Takes the bytes of a body out of what a connection brings. It is as strict as the reading of heads. */
export class Framing {
  private next: Next;
  /** Of the body, or of the chunk that is coming. */
  private left: number;
  private lineBytes = 0;
  /** A chunk's extensions, or a trailer. */
  private line = '';
  private trailerBytes = 0;

  /** @param length of the body in bytes; undefined where it comes in chunks */
  constructor(private readonly length: number | undefined) {
    this.left = length ?? 0;
    this.next = length === undefined ? 'first digit' : length === 0 ? 'nothing' : 'data';
  }

  /** Whether all of the body has come. */
  get isOver(): boolean {
    return this.next === 'nothing';
  }

  /**
   * Goes through bytes that came: those of the body are given to `take` as they are found, from where to where they are. Returns
   * where the first byte is that isn't the body's any more. Throws `invalid_argument` where the chunks are none.
   */
  read(memory: Uint8Array, start: number, end: number, take: (from: number, to: number) => void): number {
    let at = start;
    while (at < end && this.next !== 'nothing') {
      if (this.next !== 'data') {
        this.step(memory[at] as number);
        at += 1;
        continue;
      }
      const to = Math.min(end, at + this.left);
      take(at, to);
      this.left -= to - at;
      at = to;
      if (this.left === 0) this.next = this.length === undefined ? 'CR of data' : 'nothing';
    }
    return at;
  }

  /** Takes one byte that isn't the body's. */
  private step(byte: number): void {
    switch (this.next) {
      case 'CR of data':
        return this.expect(byte === cr, 'LF of data');
      case 'LF of data':
        return this.expect(byte === lf, 'first digit');
      case 'first digit':
        this.lineBytes = 0;
        this.line = '';
        return this.digit(byte);
      case 'digit':
        if (byte === cr) this.next = 'LF of size';
        else if (byte === semicolon) this.text(byte, 'LF of size');
        else this.digit(byte);
        return;
      case 'extension':
        return this.text(byte, 'LF of size');
      case 'LF of size':
        return this.expect(byte === lf && extensions.test(this.line), this.left > 0 ? 'data' : 'trailers');
      case 'trailers':
        this.lineBytes = 0;
        this.line = '';
        if (byte === cr) this.next = 'last LF';
        else this.text(byte, 'LF of trailer');
        return;
      case 'trailer':
        return this.text(byte, 'LF of trailer');
      case 'LF of trailer':
        return this.expect(byte === lf && isField(this.line), 'trailers');
      case 'last LF':
        return this.expect(byte === lf, 'nothing');
      case 'data':
      case 'nothing':
        throw new Error(`${this.next} is no business of this`);
    }
  }

  private expect(isSo: boolean, next: Next): void {
    if (!isSo) throw broken();
    this.next = next;
  }

  private digit(byte: number): void {
    const value = hexValue(byte);
    this.lineBytes += 1;
    if (value < 0 || this.lineBytes > maxSizeDigits) throw broken();
    this.left = this.left * 16 + value;
    this.next = 'digit';
  }

  /** A byte of a chunk's extensions or of a trailer: what they say is passed over. */
  private text(byte: number, behind: 'LF of size' | 'LF of trailer'): void {
    if (byte === cr) {
      this.next = behind;
      return;
    }
    this.line += String.fromCharCode(byte);
    this.lineBytes += 1;
    if (behind === 'LF of trailer') this.trailerBytes += 1;
    const isText = byte >= 32 ? byte !== 127 : byte === 9;
    if (!isText || this.lineBytes > maxLineBytes || this.trailerBytes > maxTrailerBytes) throw broken();
    this.next = behind === 'LF of trailer' ? 'trailer' : 'extension';
  }
}

function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function broken(): StoreError {
  return new StoreError('invalid_argument', 'the chunks of the body are broken');
}
