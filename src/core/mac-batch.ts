import { keyEnd, keyStart, type MacSet } from './mac-set.js';
import { macBytes, type Mac } from './object.js';

/** The size of one MAC in a batch's text, a comma and 64 quoted digits, in bytes. */
const entryBytes = 67;
const digitsStart = 2;

const comma = 0x2c;
const quote = 0x22;

/** The values of lower-case hex digits; `notHex` for all other characters. */
const notHex = 0xff;
const digitValues = new Uint8Array(256).fill(notHex);
for (const [value, digit] of [...'0123456789abcdef'].entries()) digitValues[digit.charCodeAt(0)] = value;

/**
 * A batch of MACs, stored as their JSON text, 67 bytes each, so that a list of a million objects can be sent and cached without creating
 * a million strings. Iterating creates the strings.
 *
 * Batches are immutable. The buffers that they return share their memory and must not be written to.
 */
export class MacBatch implements Iterable<Mac> {
  /** @param text `,"…","…"`: with a comma before each MAC, so that every slice is a batch as well */
  private constructor(private readonly text: Buffer) {}

  /** The batch of these MACs, in this order. */
  static of(macs: readonly Mac[]): MacBatch {
    return MacBatch.fromNames(macs);
  }

  /** The batch of those file names that are MACs and start with `start`, in their order. */
  static fromNames(names: readonly string[], start = ''): MacBatch {
    const text = Buffer.allocUnsafeSlow(names.length * entryBytes);
    let end = 0;
    for (const name of names) {
      if (name.length !== 2 * macBytes || !name.startsWith(start)) continue;
      // Not as latin1, which would turn some other characters into digits.
      text.write(name, end + digitsStart, 'utf8');
      if (!areDigits(text, end + digitsStart)) continue;
      text[end] = comma;
      text[end + 1] = text[end + entryBytes - 1] = quote;
      end += entryBytes;
    }
    return new MacBatch(end === text.length ? text : Buffer.from(text.subarray(0, end)));
  }

  /** The number of MACs. */
  get length(): number {
    return this.text.length / entryBytes;
  }

  /** The batch's size in memory. */
  get byteLength(): number {
    return this.text.length;
  }

  /** The inside of a JSON array: `"…","…"`; nothing for an empty batch. */
  get json(): Uint8Array {
    return this.text.subarray(1);
  }

  /** The same to follow another batch in the array: `,"…","…"`. */
  get jsonContinued(): Uint8Array {
    return this.text;
  }

  *[Symbol.iterator](): Generator<Mac, void, undefined> {
    for (let at = digitsStart; at < this.text.length; at += entryBytes) {
      yield this.text.toString('latin1', at, at + 2 * macBytes) as Mac;
    }
  }

  /** The MACs from index `start` up to, not including, `end`. Copies nothing. */
  slice(start: number, end: number): MacBatch {
    return new MacBatch(this.text.subarray(start * entryBytes, end * entryBytes));
  }

  /** Those that are in a set, too. */
  *in(set: MacSet): Generator<Mac, void, undefined> {
    if (set.size === 0) return;
    for (let at = digitsStart; at < this.text.length; at += entryBytes) {
      let key = 0;
      for (let digit = at + keyStart; digit < at + keyEnd; digit++) key = (key << 4) | digitAt(this.text, digit);
      if (!set.mayHave(key)) continue;
      const mac = this.text.toString('latin1', at, at + 2 * macBytes) as Mac;
      if (set.has(mac)) yield mac;
    }
  }

  /** The MACs at those indexes that `keep` accepts, in their order: the batch itself if it accepts all of them. */
  filter(keep: (index: number) => boolean): MacBatch {
    let kept: Buffer | undefined;
    let end = 0;
    // Runs are copied at once. Nothing is until there is a gap.
    let runStart = 0;
    const endRun = (index: number): void => {
      kept ??= Buffer.allocUnsafeSlow(this.text.length);
      end += this.text.copy(kept, end, runStart * entryBytes, index * entryBytes);
      runStart = index + 1;
    };
    const count = this.length;
    for (let index = 0; index < count; index++) if (!keep(index)) endRun(index);
    if (kept === undefined) return this;
    endRun(count);
    return new MacBatch(Buffer.from(kept.subarray(0, end)));
  }

  /** The MACs as 32 bytes each, slices of one buffer. */
  toBytes(): Uint8Array[] {
    const all = Buffer.allocUnsafeSlow(this.length * macBytes);
    let done = 0;
    for (let entry = digitsStart; entry < this.text.length; entry += entryBytes) {
      for (let at = entry; at < entry + 2 * macBytes; at += 2) {
        all[done++] = (digitAt(this.text, at) << 4) | digitAt(this.text, at + 1);
      }
    }
    return Array.from({ length: this.length }, (_, i) => all.subarray(i * macBytes, (i + 1) * macBytes));
  }
}

/** Whether 64 lower-case hex digits follow. A regular expression takes four times as long. */
function areDigits(text: Buffer, start: number): boolean {
  for (let at = start; at < start + 2 * macBytes; at++) if (digitAt(text, at) === notHex) return false;
  return true;
}

function digitAt(text: Buffer, at: number): number {
  return digitValues[text[at] ?? 0] ?? notHex;
}
