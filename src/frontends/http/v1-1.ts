import type { FastifyInstance, FastifyRequest } from 'fastify';
import { StoreError } from '../../core/errors.js';
import { parseMac, requireObjectKind, type NamedKind, type ObjectKind, type ObjectRef } from '../../core/object.js';
import { clip } from '../../core/range.js';
import { maxBytes, tooLarge } from '../../core/serialized-object.js';
import { bytesType, noRanges } from './exchange.js';
import { jsonList } from './json-list.js';
import { parseRangeHeader } from './range-header.js';
import { addPath, type Handler, type RouteContext } from './routes.js';

/*
 * plakar's HTTP API, generation 1.1. What its client depends on, and the routes don't tell:
 *
 * - Any status but 200 is a failure, and the body is the message that its user sees, as plain text.
 * - A range is answered with 200, never 206, and its end is exclusive.
 * - It sends `Content-Type: application/json` with everything, also with raw bytes and with nothing.
 */

/** The resources of the API, as paths name them. */
const resources: Readonly<Record<string, NamedKind>> = {
  packfiles: 'packfile',
  states: 'state',
  locks: 'lock',
  eccpackfiles: 'ecc-packfile',
  eccstates: 'ecc-state',
};

/** Adds the API's routes. */
export function addV11(app: FastifyInstance, context: RouteContext): void {
  addPath(app, '/', { GET: getConfig, HEAD: getConfig }, context);
  addPath(app, '/resources/:resource', { GET: getList, HEAD: getList }, context);
  const object = { GET: getObject, HEAD: headObject, PUT: putObject, DELETE: deleteObject };
  addPath(app, '/resources/:resource/:mac', object, context);
}

const getConfig: Handler = async ({ store, exchange }) => {
  const data = await store.config(exchange);
  await exchange.sendRead({ data, length: data.length, objectSize: data.length, release: () => undefined });
};

const getList: Handler = async (request) => {
  const { store, exchange } = request;
  // As plakar's server sends it, with a newline.
  await exchange.sendText('application/json', jsonList('[', store.list(parseResource(request), exchange), ']\n'));
};

const getObject: Handler = async (request) => {
  const { store, exchange, headers } = request;
  await exchange.sendRead(await store.get(parseRef(request), parseRangeHeader(headers.range), exchange));
};

const headObject: Handler = async (request, reply) => {
  const { store, exchange, headers } = request;
  const ref = parseRef(request);
  const range = parseRangeHeader(headers.range);
  const { size, modifiedMs } = await store.stat(ref, exchange);
  const lastModified = new Date(modifiedMs).toUTCString();
  reply
    .type(bytesType)
    .headers({ 'content-length': clip(range, size).length, 'last-modified': lastModified, ...noRanges });
  return exchange.send();
};

const putObject: Handler = async (request) => {
  const { store, exchange, headers } = request;
  const ref = parseRef(request);
  // A part would be taken for the whole (RFC 9110, 14.5).
  if (headers['content-range'] !== undefined) {
    throw new StoreError('invalid_argument', 'objects are put whole: Content-Range is not supported');
  }
  const limit = maxBytes(ref.kind, store.info().maxObjectBytes);
  // A client that expects 100-continue is refused before it sends any of it; but only when the store asks, which may refuse for other reasons.
  const body = Number(headers['content-length']) > limit ? refused(tooLarge(ref.kind, limit)) : exchange.body();
  await store.put(ref, body, exchange);
  return exchange.send();
};

const deleteObject: Handler = async (request) => {
  const { store, exchange } = request;
  await store.delete(parseRef(request), exchange);
  return exchange.send();
};

/** A body that fails when it is first read. */
function refused(error: StoreError): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
}

function parseRef(request: FastifyRequest): ObjectRef {
  const { mac = '' } = request.params as Readonly<Record<string, string>>;
  return { kind: parseResource(request), mac: parseMac(mac) };
}

function parseResource({ params }: FastifyRequest): ObjectKind {
  const { resource = '' } = params as Readonly<Record<string, string>>;
  const kind = Object.hasOwn(resources, resource) ? resources[resource] : undefined;
  if (kind !== undefined) return requireObjectKind(kind);
  const known = Object.keys(resources).join(', ');
  throw new StoreError('invalid_argument', `Invalid resource type: it has to be one of ${known}`);
}
