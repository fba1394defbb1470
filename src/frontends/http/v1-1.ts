import { StoreError } from '../../core/errors.js';
import { eccUnimplemented, parseMac, type ObjectKind, type ObjectRef } from '../../core/object.js';
import { clip } from '../../core/range.js';
import { maxBytes, tooLarge } from '../../core/serialized-object.js';
import { jsonList } from './json-list.js';
import { parseRangeHeader } from './range-header.js';
import type { RouteContext, Routes } from './routes.js';
import { bytesType } from './stream.js';

/*
 * plakar's HTTP API, generation 1.1. What its client depends on, and the routes don't tell:
 *
 * - Any status but 200 is a failure, and the body is the message that its user sees, as plain text.
 * - A range is answered with 200, never 206, and its end is exclusive.
 * - It sends `Content-Type: application/json` with everything, also with raw bytes and with nothing.
 */

/** The resources of the API, as paths name them; `ecc` for the two that no store keeps. */
const resources: Readonly<Record<string, ObjectKind | 'ecc'>> = {
  packfiles: 'packfile',
  states: 'state',
  locks: 'lock',
  eccpackfiles: 'ecc',
  eccstates: 'ecc',
};

export const v11Routes: Routes = {
  '/': { GET: getConfig, HEAD: getConfig },
  '/resources/:resource': { GET: getList, HEAD: getList },
  '/resources/:resource/:mac': { GET: getObject, HEAD: headObject, PUT: putObject, DELETE: deleteObject },
};

async function getConfig({ store, exchange }: RouteContext): Promise<void> {
  await exchange.send(200, { 'content-type': bytesType }, await store.config(exchange));
}

async function getList({ store, exchange, params }: RouteContext): Promise<void> {
  const kind = parseResource(params);
  // As plakar's server sends it, with a newline.
  await exchange.sendText('application/json', jsonList('[', store.list(kind, exchange), ']\n'));
}

async function getObject({ store, exchange, params, headers }: RouteContext): Promise<void> {
  await exchange.sendRead(await store.get(parseRef(params), parseRangeHeader(headers.range), exchange));
}

async function headObject({ store, exchange, params, headers }: RouteContext): Promise<void> {
  const ref = parseRef(params);
  const range = parseRangeHeader(headers.range);
  const { size, modifiedMs } = await store.stat(ref, exchange);
  await exchange.send(200, {
    'content-type': bytesType,
    'content-length': clip(range, size).length,
    'last-modified': new Date(modifiedMs).toUTCString(),
  });
}

async function putObject({ store, exchange, params, headers }: RouteContext): Promise<void> {
  const ref = parseRef(params);
  // What is a part would be taken for the whole (RFC 9110, 14.5).
  if (headers['content-range'] !== undefined) {
    throw new StoreError('invalid_argument', 'objects are put whole: Content-Range is not taken');
  }
  const limit = maxBytes(ref.kind, store.info().maxObjectBytes);
  // A client that asks first is told before it sends any of it. Not before the store asks: it may have other reasons.
  const body = Number(headers['content-length']) > limit ? refused(tooLarge(ref.kind, limit)) : exchange.body();
  await store.put(ref, body, exchange);
  await exchange.send(200, {}, new Uint8Array());
}

async function deleteObject({ store, exchange, params }: RouteContext): Promise<void> {
  await store.delete(parseRef(params), exchange);
  await exchange.send(200, {}, new Uint8Array());
}

/** A body that is refused when it is asked for. */
function refused(error: StoreError): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
}

function parseRef(params: RouteContext['params']): ObjectRef {
  return { kind: parseResource(params), mac: parseMac(params.mac ?? '') };
}

function parseResource({ resource = '' }: RouteContext['params']): ObjectKind {
  const kind = Object.hasOwn(resources, resource) ? resources[resource] : undefined;
  if (kind === undefined)
    throw new StoreError(
      'invalid_argument',
      `Invalid resource type: it has to be one of ${Object.keys(resources).join(', ')}`,
    );
  if (kind === 'ecc') throw eccUnimplemented();
  return kind;
}
