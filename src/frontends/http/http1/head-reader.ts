import { BadRequest, checkStart, parseHead, type RequestHead } from './head.js';

const headEnd = '\r\n\r\n';

/** Finds the heads of requests in what a connection brings. */
export class HeadReader {
  /** Of a head that hasn't come to its end. */
  private partial = '';
  /** How many bytes of what was read last were the head's. */
  taken = 0;

  /** Whether a head has begun to come. */
  get hasBegun(): boolean {
    return this.partial !== '';
  }

  /**
   * Reads on, between two places of a memory. Returns the head when all of it has come; then `taken` says how many of these bytes were
   * its own. Until then, all of them are. Throws `BadRequest`, also for a head that will have more than `maxBytes` bytes.
   */
  read(memory: Buffer, start: number, end: number, maxBytes: number): RequestHead | undefined {
    const from = this.skipEmptyLines(memory, start, end);
    // Nearly always it is here as a whole. What follows it may be large, and is not made a text of.
    const to = this.hasBegun ? -1 : memory.indexOf(headEnd, from, 'latin1');
    if (to < 0 || to + headEnd.length > end) return this.readOn(memory, start, from, end, maxBytes);
    if (to - from > maxBytes - headEnd.length) throw tooLarge();
    this.taken = to + headEnd.length - start;
    return parseHead(memory.toString('latin1', from, to));
  }

  /** Some clients send an empty line behind a body. Returns where the head begins, or goes on. */
  private skipEmptyLines(memory: Buffer, start: number, end: number): number {
    let at = start;
    if (this.partial === '\r' && memory[at] === 10) {
      this.partial = '';
      at += 1;
    }
    if (this.hasBegun) return start;
    while (at + 1 < end && memory[at] === 13 && memory[at + 1] === 10) at += 2;
    return at;
  }

  private readOn(memory: Buffer, start: number, from: number, end: number, maxBytes: number): RequestHead | undefined {
    const before = this.partial.length;
    const text = this.partial + memory.toString('latin1', from, Math.min(end, from + maxBytes));
    const length = text.indexOf(headEnd);
    if (length < 0 ? text.length >= maxBytes : length > maxBytes - headEnd.length) throw tooLarge();
    if (length < 0) {
      checkStart(text);
      this.partial = text;
      this.taken = end - start;
      return undefined;
    }
    this.partial = '';
    this.taken = from - start + length + headEnd.length - before;
    return parseHead(text.slice(0, length));
  }
}

function tooLarge(): BadRequest {
  return new BadRequest(431, 'the headers are too large');
}
