import { text } from 'node:stream/consumers';
import { StoreError } from '../../core/errors.js';
import { parseMac, type Mac } from '../../core/object.js';
import type { OpContext } from '../../core/store.js';
import { Base64Decoder } from './base64.js';
import { Semaphore } from '../../lib/semaphore.js';

/** The fields of a JSON document, unchecked. */
export type Fields = Readonly<Record<string, unknown>>;

/** Documents up to this size are read whole without asking: it is more than a request other than an upload ever has. */
const smallBytes = 4096;

/** How much of a document's text is decoded at once; a multiple of 4. */
const pieceChars = 1024 * 1024;

/** Bounds the documents that are in memory as a whole. Only what isn't plakar writes such that they have to be. */
const wholeDocuments = new Semaphore(2);

/** Reads a small document. Throws `invalid_argument` for what isn't a JSON object; nothing at all is one without fields. */
export async function readFields(body: AsyncIterable<Uint8Array>): Promise<Fields> {
  return parseFields(await text(limited(body, smallBytes)));
}

/**
 * Reads `{"MAC":"…","Data":"…"}` and hands it to `work`. Written just so, as plakar does, the data is decoded as it comes, and
 * takes no memory to speak of. With its fields in another order it is read as a whole first. The data throws `invalid_argument` where the
 * document turns out to be malformed, also in its last byte.
 *
 * @param macField `MAC` or `Mac`
 * @param maxBytes the largest document, in bytes; base64 makes an object a third larger
 */
export async function withUpload(
  body: AsyncIterable<Uint8Array>,
  macField: string,
  maxBytes: number,
  ctx: OpContext,
  work: (mac: Mac, data: AsyncIterable<Uint8Array>) => Promise<unknown>,
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
    await work(parseMac(mac), decodeStream(follow(head.subarray(matched.length), source)));
    return;
  }
  await wholeDocuments.run(ctx, async () => {
    const { [macField]: mac, Data: data } = parseFields(await text(follow(head, source)));
    if (typeof data !== 'string')
      throw new StoreError('invalid_argument', 'Data is missing: it is the object, in base64');
    await work(parseMac(String(mac)), decodeText(data));
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
    const piece = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
    if (tail !== undefined) {
      tail = checkTail(tail + piece);
      continue;
    }
    const quote = piece.indexOf('"');
    const bytes = decoder.push(quote < 0 ? piece : piece.slice(0, quote));
    if (bytes.length > 0) yield bytes;
    if (quote >= 0) tail = checkTail(piece.slice(quote + 1));
  }
  if (tail === undefined || !tail.includes('}')) throw notJson();
  decoder.end();
}

function checkTail(tail: string): string {
  if (tail.length > smallBytes || !/^\s*\}?\s*$/.test(tail)) throw notJson();
  return tail;
}

async function* decodeText(data: string): AsyncGenerator<Uint8Array, void, undefined> {
  const decoder = new Base64Decoder();
  for (let at = 0; at < data.length; at += pieceChars) yield decoder.push(data.slice(at, at + pieceChars));
  decoder.end();
}

function parseFields(document: string): Fields {
  if (document === '') return {};
  try {
    const value: unknown = JSON.parse(document);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  } catch (error) {
    throw notJson(error);
  }
  throw notJson();
}

function notJson(cause?: unknown): StoreError {
  return new StoreError('invalid_argument', 'invalid request: its body has to be one whole JSON object', { cause });
}
