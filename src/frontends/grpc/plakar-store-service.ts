import {
  GetResponse,
  type GetRequest_Range as WireRange,
  type ListResponse,
  PutRequest,
  StorageResource,
  type StoreServer,
} from '../../../gen/plakar/store.js';
import type { ObjectKind as WireKind } from '../../../gen/kloset/store/v1/store.js';
import { allows } from '../../core/access.js';
import { StoreError } from '../../core/errors.js';
import { macBytes, macFromBytes, type ObjectRef } from '../../core/object.js';
import type { Store } from '../../core/store.js';
import { sendChunks } from '../send-read.js';
import { settled } from '../settled.js';
import type { CallContext, Calls } from './call.js';
import { Bindings } from './bindings.js';
import { parseKind, parseRange } from './convert.js';
import { encodeChunked } from './framing.js';
import { parseInit, type InitConfig } from './plakar-init.js';
import { decodeChunked } from './unframing.js';

/** Gives the store of a connection, as the caller of a call on it has it. */
export type StoreOfCall = (context: CallContext) => Store;

export interface PlakarStoreServiceOptions {
  /** Opens the store that a client's Init is about. */
  readonly open: (config: InitConfig, context: CallContext) => Promise<StoreOfCall>;
  readonly calls: Calls;
}

/** What gRPC's clients take in one message unless they say otherwise; plakar's doesn't. In bytes. */
const maxMessageBytes = 4 * 1024 * 1024;

/** A MAC in a list: its tag, its length, and 32 bytes. */
const listedMacBytes = 34;

/** plakar's bits: bit 1 is writing, bit 2 reading. */
const modeBits = { write: 1 << 1, read: 1 << 2 } as const;

const decodeUpload = decodeChunked(PutRequest, 3, (chunk) => ({
  mac: new Uint8Array(),
  type: StorageResource.STORAGE_RESOURCE_UNDEFINED,
  chunk,
}));

/**
 * plakar's own service store.Store. Which store a call is about it doesn't say: that was said on its connection before, with
 * Init.
 */
export function plakarStoreService({ open, calls }: PlakarStoreServiceOptions): StoreServer {
  const bindings = new Bindings<StoreOfCall>();
  const storeOf = async (context: CallContext): Promise<Store> => (await bindings.of(context.connection))(context);
  return {
    init: calls.unary(async ({ proto, config }, context) => {
      const init = parseInit(proto, config);
      await bindings.bind(context.connection, init, () => open(init, context));
      return { origin: init.origin, type: proto, root: init.root, flags: 0 };
    }),

    create: calls.unary(() =>
      Promise.reject(
        new StoreError(
          'unimplemented',
          'no store is created through a gateway: create it where it is kept, with `plakar at LOCATION create`, and serve it',
        ),
      ),
    ),

    open: calls.unary(async (_request, context) => {
      const store = await storeOf(context);
      return { config: await store.config(context) };
    }),

    ping: calls.unary(async (_request, context) => {
      const store = await storeOf(context);
      await store.config(context);
      return {};
    }),

    mode: calls.unary(async (_request, context) => {
      const { access } = (await storeOf(context)).info();
      const read = allows(access, 'read-only') ? modeBits.read : 0;
      return { mode: allows(access, 'append') ? read | modeBits.write : read };
    }),

    size: calls.unary(async (_request, context) => {
      await storeOf(context);
      // Looking at every object would take minutes, and nothing depends on it.
      return { size: -1n };
    }),

    list: calls.unary(async ({ type }, context) => {
      const kind = kindOf(type);
      context.record.path = `${kind}s`;
      const response: ListResponse = { macs: [] };
      const store = await storeOf(context);
      for await (const batch of store.list(kind, context)) {
        if ((response.macs.length + batch.length) * listedMacBytes > maxMessageBytes) throw listTooLong(kind);
        for (const mac of batch.toBytes()) response.macs.push(mac);
      }
      context.record.sent += response.macs.length * macBytes;
      return response;
    }),

    put: calls.clientStream(decodeUpload, async (requests: AsyncIterable<PutRequest>, context) => {
      const messages = requests[Symbol.asyncIterator]();
      let left = maxDrainedBytes;
      try {
        const store = await storeOf(context);
        const first = await messages.next();
        if (first.done === true)
          throw new StoreError('invalid_argument', 'an upload has to start with its MAC and type');
        const ref = parseRef(first.value, context);
        left += store.info().maxObjectBytes;
        await store.put(ref, uploadBody(first.value.chunk, messages, context), context);
        return { bytesWritten: BigInt(context.record.received) };
      } catch (error) {
        // Answered while it is still sending, plakar's client says "failed to send chunk: EOF" instead of what is the matter.
        for (let next = await messages.next(); next.done !== true && left > 0; next = await messages.next()) {
          // Also those that bring nothing come to an end.
          left -= Math.max(next.value.chunk.length, 1024);
        }
        throw error;
      }
    }),

    get: calls.serverStream(encodeChunked(GetResponse, 1), async (request, send, context) => {
      const ref = parseRef(request, context);
      const store = await storeOf(context);
      const read = await store.get(ref, request.range && rangeOf(request.range), context);
      await sendChunks(read, async (chunk) => {
        await send({ chunk });
        context.record.sent += chunk.length;
      });
    }),

    delete: calls.unary(async (request, context) => {
      const ref = parseRef(request, context);
      await (await storeOf(context)).delete(ref, context);
      return {};
    }),

    close: calls.unary((_request, { connection }) => {
      bindings.release(connection);
      return Promise.resolve({});
    }),
  };
}

/** What is read, beyond the largest object, of an upload that is refused. In bytes. */
const maxDrainedBytes = 16 * 1024 * 1024;

/** The bytes of an upload. It has no end of its own: where the client resets the call, `messages` throws. */
async function* uploadBody(
  first: Uint8Array,
  messages: AsyncIterator<PutRequest>,
  { record, signal }: CallContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  record.received += first.length;
  if (first.length > 0) yield first;
  // Not for await: that would end the messages when the store stops reading, and the rest has to be read all the same.
  for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
    const { mac, type, chunk } = next.value;
    if (mac.length > 0 || Number(type) !== 0) {
      throw new StoreError('invalid_argument', 'after its first message, an upload has only chunks');
    }
    record.received += chunk.length;
    yield chunk;
  }
  await settled(() => signal.aborted);
}

function parseRef({ mac, type }: { mac: Uint8Array; type: StorageResource }, { record }: CallContext): ObjectRef {
  const ref = { kind: kindOf(type), mac: macFromBytes(mac) };
  record.path = `${ref.kind}s/${ref.mac}`;
  return ref;
}

/** Our API has taken over plakar's numbers for the kinds. */
function kindOf(type: StorageResource): ObjectRef['kind'] {
  return parseKind(type as number as WireKind);
}

function rangeOf({ offset, length }: WireRange) {
  return parseRange({ offset, length });
}

function listTooLong(kind: string): StoreError {
  return new StoreError(
    'answer_too_large',
    `this store has more ${kind}s than fit into one message of ${maxMessageBytes} bytes, which is all that clients of this ` +
      'protocol take: use the HTTP API (http://), or kloset.store.v1.StoreService/ListObjects, which streams its list',
  );
}
