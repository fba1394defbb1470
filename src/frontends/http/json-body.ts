import { StoreError } from '../../core/errors.js';
import { parseMac, type Mac } from '../../core/object.js';
import type { OpContext } from '../../core/store.js';
import { Base64Decoder } from './base64.js';
import type { Semaphore } from '../../lib/semaphore.js';

/** The fields of a JSON document, unchecked. */
export type Fields = Readonly<Record<string, unknown>>;

/** Documents up to this size are read whole without asking: it is more than a request other than an upload ever has. */
const smallBytes = 4096;

/** How much of a document's text is decoded at once; a multiple of 4. */
const pieceChars = 1024 * 1024;

/** Reads a small document. Throws `invalid_argument` for what isn't a JSON object; nothing at all is one without fields. */
export async function readFields(body: AsyncIterable<Uint8Array>): Promise<Fields> {
  return parseFields(await collect(limited(body, smallBytes)));
}

export interface UploadLimits {
  /** The largest document, in bytes; base64 makes an object a third larger. */
  readonly maxBytes: number;
  /** Places for documents that have to be in memory as a whole. */
  readonly slots: Semaphore;
}

/** What a document that carries an object says. */
export interface JsonUpload {
  readonly mac: Mac;
  /** The object's bytes. Throws `invalid_argument` where the document turns out to be malformed, also in its last byte. */
  readonly data: AsyncIterable<Uint8Array>;
}

/**
 * Reads `{"MAC":"…","Data":"…"}` and hands it to `work`. Written just so, as plakar does, the data is decoded as it comes, and
 * takes no memory to speak of. With its fields in another order it is read as a whole first, in a slot.
 *
 * @param macField `MAC` or `Mac`
 */
export async function withUpload(
  body: AsyncIterable<Uint8Array>,
  macField: string,
  { maxBytes, slots }: UploadLimits,
  ctx: OpContext,
  work: (upload: JsonUpload) => Promise<unknown>,
): Promise<void> {
  const source = limited(body, maxBytes);
  const start = new RegExp(`^\\s*\\{\\s*"${macField}"\\s*:\\s*"([^"\\\\]*)"\\s*,\\s*"Data"\\s*:\\s*"`);
  let head = Buffer.alloc(0);
  for (let ended = false; !ended && head.length < smallBytes;) {
    const next = await source.next();
    if (next.done === true) ended = true;
    else head = Buffer.concat([head, next.value]);
    const [matched, mac = ''] = start.exec(head.toString('latin1')) ?? [];
    if (matched === undefined) continue;
    const rest = follow(head.subarray(matched.length), source);
    await work({ mac: parseMac(mac), data: decodeStream(rest) });
    return;
  }
  await slots.run(ctx, async () => {
    const { [macField]: mac, Data: data } = parseFields(await collect(follow(head, source)));
    if (typeof data !== 'string')
      throw new StoreError('invalid_argument', 'Data is missing: it is the object, in base64');
    await work({ mac: parseMac(String(mac)), data: decodeText(data) });
  });
}

/** Passes chunks on. Throws `too_large` beyond the limit. */
async function* limited(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new StoreError('too_large', `a JSON document may have ${maxBytes} bytes at most here`);
    yield chunk;
  }
}

async function* follow(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  yield head;
  yield* rest;
}

/** Decodes the text up to its closing quote. What comes after it may only close the document. */
async function* decodeStream(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const decoder = new Base64Decoder();
  let tail: string | undefined;
  for await (const chunk of chunks) {
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
    if (tail !== undefined) {
      tail = checkTail(tail + text);
      continue;
    }
    const quote = text.indexOf('"');
    const bytes = decoder.push(quote < 0 ? text : text.slice(0, quote));
    if (bytes.length > 0) yield bytes;
    if (quote >= 0) tail = checkTail(text.slice(quote + 1));
  }
  if (tail === undefined || !tail.includes('}')) throw notJson();
  decoder.end();
}

function checkTail(tail: string): string {
  if (tail.length > smallBytes || !/^\s*\}?\s*$/.test(tail)) throw notJson();
  return tail;
}

async function* decodeText(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  const decoder = new Base64Decoder();
  for (let at = 0; at < text.length; at += pieceChars) yield decoder.push(text.slice(at, at + pieceChars));
  decoder.end();
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

function parseFields(document: Buffer): Fields {
  if (document.length === 0) return {};
  try {
    const value: unknown = JSON.parse(document.toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  } catch (error) {
    throw notJson(error);
  }
  throw notJson();
}

function notJson(cause?: unknown): StoreError {
  return new StoreError('invalid_argument', 'invalid request: its body has to be one whole JSON object', { cause });
}
