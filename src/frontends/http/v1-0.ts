import type { FastifyInstance, FastifyReply } from 'fastify';
import { StoreError } from '../../core/errors.js';
import { objectKinds, parseMac, type ObjectKind, type ObjectRef } from '../../core/object.js';
import { byteRange, type ByteRange } from '../../core/range.js';
import { wireStatus } from '../../core/status.js';
import type { ObjectRead } from '../../core/store.js';
import type { Logger } from '../../lib/logger.js';
import type { Requests } from '../requests.js';
import { encodeBase64, encodedLength } from './base64.js';
import { errorHandler, type FailureFormat } from './errors.js';
import { readFields, withUpload, type Fields } from './json-body.js';
import { jsonList } from './json-list.js';
import { addPath, type Handler } from './routes.js';

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

/** Where a `GET /` that has a body is routed: no target leads here. */
export const rootWithBody = '/-with-body';

export interface V10Options {
  readonly enabled: boolean;
  /** The largest JSON document that a client may send, in bytes. */
  readonly maxDocumentBytes: number;
}

/**
 * Adds the API's routes beside those of the next generation. Both open a store with `GET /`: only this one sends a body with it. Where
 * the API is switched off, its clients are told so in a form that they can parse.
 *
 * @param options are asked for with each request
 */
export function addV10(
  app: FastifyInstance,
  options: () => V10Options,
  { requests, log }: { readonly requests: Requests; readonly log: Logger },
): void {
  const context = { requests, onError: errorHandler(log, asErr) };
  app.setErrorHandler(context.onError);
  app.addHook('onRequest', async () => {
    if (!options().enabled) throw switchedOff();
  });
  addPath(app, rootWithBody, { GET: getConfig }, context);
  addPath(app, '/packfile/blob', { GET: getObject('packfile', parseRange) }, context);
  for (const kind of objectKinds) {
    addPath(app, `/${kind}s`, { GET: getList(kind) }, context);
    const object = { GET: getObject(kind), PUT: putObject(kind, options), DELETE: deleteObject(kind) };
    addPath(app, `/${kind}`, object, context);
  }
}

/** The statuses that failures keep: those of requests that plakar's server would refuse, too, before it asks its store. */
const keptStatuses: readonly number[] = [
  wireStatus.invalid_argument.http,
  wireStatus.unauthenticated.http,
  wireStatus.permission_denied.http,
  wireStatus.too_large.http,
  wireStatus.too_many_requests.http,
];

/** A failure of the store is in the document alone; one before a store was asked keeps its status. */
const asErr: FailureFormat = (reply, status, message) => {
  const isKept = reply.request.store === undefined || keptStatuses.includes(status);
  reply.code(isKept ? status : 200).type(contentType);
  return document({ Err: message });
};

function switchedOff(): StoreError {
  const text =
    "the HTTP API of plakar 1.0 is switched off at this gateway: use plakar 1.1, or ask the gateway's operator";
  return new StoreError('unimplemented', text);
}

const getConfig: Handler = async ({ store, exchange }, reply) => {
  const config = Buffer.from(await store.config(exchange));
  return send(reply, { Configuration: config.toString('base64'), Err: '' });
};

const getList =
  (kind: ObjectKind): Handler =>
  async ({ store, exchange }) => {
    const before = `{"${resources[kind].list}":[`;
    await exchange.sendText(contentType, jsonList(before, store.list(kind, exchange), '],"Err":""}\n'));
  };

const getObject =
  (kind: ObjectKind, rangeOf: (fields: Fields) => ByteRange | undefined = () => undefined): Handler =>
  async ({ store, exchange }) => {
    const fields = await readFields(exchange.body());
    const read = await store.get(parseRef(kind, fields), rangeOf(fields), exchange);
    await exchange.sendRead(asDocument(read), contentType);
  };

const putObject =
  (kind: ObjectKind, options: () => V10Options): Handler =>
  async ({ store, exchange }, reply) => {
    const { maxDocumentBytes } = options();
    await withUpload(exchange.body(), resources[kind].mac, maxDocumentBytes, exchange, (mac, data) =>
      store.put({ kind, mac }, data, exchange),
    );
    return send(reply, { Err: '' });
  };

const deleteObject =
  (kind: ObjectKind): Handler =>
  async ({ store, exchange }, reply) => {
    await store.delete(parseRef(kind, await readFields(exchange.body())), exchange);
    return send(reply, { Err: '' });
  };

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
    data:
      data instanceof Uint8Array
        ? Buffer.from(dataStart + Buffer.from(data).toString('base64') + dataEnd)
        : wrapAll(data),
    release: (sent) => read.release(sent),
  };
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

function send(reply: FastifyReply, fields: object): FastifyReply {
  reply.type(contentType);
  return reply.request.exchange.send(document(fields));
}

/** A document as Go writes it, with a newline. */
function document(fields: object): string {
  return `${JSON.stringify(fields)}\n`;
}
