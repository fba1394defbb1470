import type { IncomingHttpHeaders } from 'node:http';
import { StoreError } from '../../core/errors.js';
import { parseMac, type ObjectKind, type ObjectRef } from '../../core/object.js';
import { byteRange, type ByteRange } from '../../core/range.js';
import { wireStatus } from '../../core/status.js';
import type { ObjectRead } from '../../core/store.js';
import { encodeBase64, encodedLength } from './base64.js';
import type { FailureFormat } from './exchange.js';
import { readFields, withUpload, type Fields, type UploadLimits } from './json-body.js';
import { jsonList } from './json-list.js';
import type { Handler, RouteContext, Routes } from './routes.js';
import { Semaphore } from '../../lib/semaphore.js';

/*
 * plakar's HTTP API, generation 1.0. What its client depends on, and the routes don't tell:
 *
 * - Every request has a JSON document as its body, also GET and DELETE; every answer is one, and a newline.
 * - It looks for a failure in the document's `Err`, whatever the status, and shows it to its user.
 * - It takes what it can't parse for a failure, too, and shows only that.
 */

/** What the API calls the fields of each kind. It isn't consistent. */
const resources = {
  packfile: { mac: 'MAC', list: 'MACs' },
  state: { mac: 'MAC', list: 'MACs' },
  lock: { mac: 'Mac', list: 'Locks' },
} as const satisfies Record<ObjectKind, object>;

/** As plakar's own server has it. */
const contentType = 'text/plain; charset=utf-8';

const dataStart = '{"Data":"';
const dataEnd = '","Err":""}\n';

/** How many documents may be in memory as a whole at once. Only what isn't plakar writes such that they have to be. */
const wholeDocuments = 2;

export interface V10Options {
  readonly enabled: boolean;
  /** The largest JSON document that a client may send, in bytes. */
  readonly maxDocumentBytes: number;
}

/**
 * The API's routes beside those of the next generation. Both open a store with `GET /`: only this one sends a body with it.
 * Where the API is switched off, its clients are told so, instead of something that they can't parse.
 */
export function withV10Routes(v11: Routes, { enabled, maxDocumentBytes }: V10Options): Routes {
  const limits = { maxBytes: maxDocumentBytes, slots: new Semaphore(wholeDocuments) };
  const routes: Record<string, Record<string, Handler>> = {
    '/': { GET: getConfig },
    '/packfile/blob': { GET: getBlob },
  };
  for (const kind of ['packfile', 'state', 'lock'] as const) {
    routes[`/${kind}s`] = { GET: (context) => getList(kind, context) };
    routes[`/${kind}`] = {
      GET: (context) => getObject(kind, context),
      PUT: (context) => putObject(kind, context, limits),
      DELETE: (context) => deleteObject(kind, context),
    };
  }
  const all = Object.entries(routes).map(([path, handlers]) => [
    path,
    Object.fromEntries(
      Object.entries(handlers).map(([method, handler]) => [method, inV10(enabled ? handler : refuse)]),
    ),
  ]);
  const added = Object.fromEntries(all) as Record<string, Record<string, Handler>>;
  const root = { ...v11['/'], GET: byBody(added['/']?.['GET'], v11['/']?.['GET']) };
  return { ...v11, ...added, '/': root };
}

/** Has failures put as this API does, for the requests that are of it: the handler's own, and those before it gets to work. */
function inV10(handler: Handler, isOfIt: (headers: IncomingHttpHeaders) => boolean = () => true): Handler {
  const inOwnFormat: Handler = (context) => {
    if (isOfIt(context.headers)) context.exchange.failureFormat = asErr;
    return handler(context);
  };
  return Object.assign(inOwnFormat, {
    failureFormat: (headers: IncomingHttpHeaders) => (isOfIt(headers) ? asErrWithStatus : undefined),
  });
}

/** The statuses that failures keep: those of requests that plakar's server would refuse, too, before it asks its store. */
const keptStatuses: readonly number[] = [
  wireStatus.invalid_argument.http,
  wireStatus.unauthenticated.http,
  wireStatus.permission_denied.http,
  wireStatus.too_large.http,
  wireStatus.too_many_requests.http,
];

const asErr: FailureFormat = (status, message) => ({
  status: keptStatuses.includes(status) ? status : 200,
  contentType,
  text: answer({ Err: message }),
});

/** That there is no such store, or that nobody may use it, is no business of the API's: its status stays. */
const asErrWithStatus: FailureFormat = (status, message) => ({ ...asErr(status, message), status });

function byBody(withBody: Handler = refuse, without: Handler = refuse): Handler {
  return inV10((context) => (hasBody(context.headers) ? withBody(context) : without(context)), hasBody);
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function refuse(): Promise<void> {
  const text =
    "the HTTP API of plakar 1.0 is switched off at this gateway: use plakar 1.1, or ask the gateway's operator";
  return Promise.reject(new StoreError('unimplemented', text));
}

async function getConfig({ store, exchange }: RouteContext): Promise<void> {
  const config = Buffer.from(await store.config(exchange));
  await send(exchange, { Configuration: config.toString('base64'), Err: '' });
}

async function getList(kind: ObjectKind, { store, exchange }: RouteContext): Promise<void> {
  const before = `{"${resources[kind].list}":[`;
  await exchange.sendText(contentType, jsonList(before, store.list(kind, exchange), '],"Err":""}\n'));
}

async function getObject(kind: ObjectKind, { store, exchange }: RouteContext): Promise<void> {
  const ref = parseRef(kind, await readFields(exchange.body()));
  await exchange.sendRead(asDocument(await store.get(ref, undefined, exchange)), contentType);
}

async function getBlob({ store, exchange }: RouteContext): Promise<void> {
  const fields = await readFields(exchange.body());
  const read = await store.get(parseRef('packfile', fields), parseRange(fields), exchange);
  await exchange.sendRead(asDocument(read), contentType);
}

async function putObject(kind: ObjectKind, { store, exchange }: RouteContext, limits: UploadLimits): Promise<void> {
  await withUpload(exchange.body(), resources[kind].mac, limits, exchange, ({ mac, data }) =>
    store.put({ kind, mac }, data, exchange),
  );
  await send(exchange, { Err: '' });
}

async function deleteObject(kind: ObjectKind, { store, exchange }: RouteContext): Promise<void> {
  await store.delete(parseRef(kind, await readFields(exchange.body())), exchange);
  await send(exchange, { Err: '' });
}

function parseRef(kind: ObjectKind, fields: Fields): ObjectRef {
  const field = resources[kind].mac;
  const mac = fields[field];
  if (typeof mac !== 'string') throw new StoreError('invalid_argument', `${field} is missing: it names the ${kind}`);
  return { kind, mac: parseMac(mac) };
}

function parseRange({ Offset: offset, Length: length }: Fields): ByteRange {
  if (!Number.isInteger(offset) || !Number.isInteger(length)) {
    throw new StoreError('invalid_argument', 'Offset and Length have to be whole numbers of bytes');
  }
  return byteRange(BigInt(offset as number), BigInt(length as number));
}

/** A read as the document that carries it, of a length that is known beforehand: encoded as it goes, whatever its size. */
function asDocument(read: ObjectRead): ObjectRead {
  const { data } = read;
  return {
    objectSize: read.objectSize,
    length: dataStart.length + encodedLength(read.length) + dataEnd.length,
    data: data instanceof Uint8Array ? Buffer.from(wrap(Buffer.from(data).toString('base64'))) : wrapAll(data),
    release: (sent) => read.release(sent),
  };
}

function wrap(base64: string): string {
  return dataStart + base64 + dataEnd;
}

async function* wrapAll(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  // Nothing before the first bytes are there: until then another answer can be given.
  let before = dataStart;
  for await (const text of encodeBase64(chunks)) {
    yield Buffer.from(before + text, 'latin1');
    before = '';
  }
  yield Buffer.from(before + dataEnd, 'latin1');
}

function send(exchange: RouteContext['exchange'], document: object): Promise<void> {
  return exchange.send(200, { 'content-type': contentType }, Buffer.from(answer(document)));
}

/** A document as Go writes it, with a newline. */
function answer(document: object): string {
  return `${JSON.stringify(document)}\n`;
}
