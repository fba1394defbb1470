import {
  GetResponse,
  StoreService,
  type ListResponse,
  type PutRequest,
  type StorageResource,
  type StoreServer,
} from '../../../gen/plakar/store.js';
import type { ObjectKind as WireKind } from '../../../gen/kloset/store/v1/store.js';
import { hasRight } from '../../core/access.js';
import { StoreError } from '../../core/errors.js';
import { macBytes, macFromBytes, type ObjectRef } from '../../core/object.js';
import type { Store } from '../../core/store.js';
import { fromKind, fromRange } from '../../wire/objects.js';
import { sendChunks } from '../send-chunks.js';
import { settled } from '../settled.js';
import type { CallContext, Calls } from './call.js';
import { chunkSerializer } from './codecs.js';
import { ConnectionStores } from './connection-stores.js';
import { parseInit, type InitConfig } from './plakar-init.js';

/** The store of a connection, as the caller of a call may use it. */
export type StoreOfCall = (context: CallContext) => Store;

export interface PlakarStoreServiceOptions {
  /** Opens the store that a client's Init names. */
  readonly open: (config: InitConfig, context: CallContext) => Promise<StoreOfCall>;
  readonly calls: Calls;
}

/** The largest message that gRPC clients accept by default, as plakar's does. In bytes. */
const maxMessageBytes = 4 * 1024 * 1024;

/** A MAC in a list: its tag, its length, and 32 bytes. */
const listedMacBytes = 34;

/** plakar's bits: bit 1 is writing, bit 2 reading. */
const modeBits = { write: 1 << 1, read: 1 << 2 } as const;

/** plakar's own service store.Store, with a faster serializer for objects' bytes. */
export const plakarStoreDefinition: typeof StoreService = {
  ...StoreService,
  get: { ...StoreService.get, responseSerialize: chunkSerializer(GetResponse, 1) },
};

/** The handlers of store.Store. Its calls don't name a store: it is the one that Init named on the same connection. */
export function plakarStoreService({ open, calls }: PlakarStoreServiceOptions): StoreServer {
  const stores = new ConnectionStores<StoreOfCall>();
  const storeOf = async (context: CallContext): Promise<Store> => (await stores.of(context.connection))(context);
  return {
    init: calls.unary(async ({ proto, config }, context) => {
      const init = parseInit(proto, config);
      await stores.init(context.connection, init, () => open(init, context));
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
      const read = hasRight(access, 'read') ? modeBits.read : 0;
      return { mode: hasRight(access, 'append') ? read | modeBits.write : read };
    }),

    size: calls.unary(async (_request, context) => {
      await storeOf(context);
      // A sum over all objects would take minutes, and plakar doesn't need it.
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

    put: calls.clientStream(async (requests: AsyncIterable<PutRequest>, context) => {
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
        // plakar's client shows the error only when it has sent everything; before that it says "failed to send chunk: EOF".
        for (let next = await messages.next(); next.done !== true && left > 0; next = await messages.next()) {
          // Empty messages count, too.
          left -= Math.max(next.value.chunk.length, 1024);
        }
        throw error;
      }
    }),

    get: calls.serverStream(async (request, send, context) => {
      const ref = parseRef(request, context);
      const store = await storeOf(context);
      const read = await store.get(ref, request.range && fromRange(request.range), context);
      await sendChunks(read, (chunk) => send({ chunk }, chunk.length));
    }),

    delete: calls.unary(async (request, context) => {
      const ref = parseRef(request, context);
      await (await storeOf(context)).delete(ref, context);
      return {};
    }),

    close: calls.unary((_request, { connection }) => {
      stores.close(connection);
      return Promise.resolve({});
    }),
  };
}

/** How much of a refused upload is read, beyond the size of the largest object. In bytes. */
const maxDrainedBytes = 16 * 1024 * 1024;

/** The bytes of an upload. The protocol doesn't mark its end: where the client resets the call, `messages` throws. */
async function* uploadBody(
  first: Uint8Array,
  messages: AsyncIterator<PutRequest>,
  { record, signal }: CallContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  record.received += first.length;
  if (first.length > 0) yield first;
  // Not for await, which would end `messages` when the store stops reading: the caller reads the rest.
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

/** The kinds have the same numbers in both protocols. */
function kindOf(type: StorageResource): ObjectRef['kind'] {
  return fromKind(type as number as WireKind);
}

function listTooLong(kind: string): StoreError {
  return new StoreError(
    'answer_too_large',
    `this store has more ${kind}s than fit into one message of ${maxMessageBytes} bytes, which is all that clients of this ` +
      'protocol take: use the HTTP API (http://), or kloset.store.v1.StoreService/ListObjects, which streams its list',
  );
}
