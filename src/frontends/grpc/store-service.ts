import {
  GetObjectResponse,
  ListObjectsResponse,
  PutObjectRequest,
  type StoreServiceServer,
} from '../../../gen/kloset/store/v1/store.js';
import { hasCode } from '../../core/errors.js';
import type { MacBatch } from '../../core/mac-batch.js';
import { mapAhead } from '../../lib/map-ahead.js';
import { macBytes, macToBytes, type Mac, type ObjectKind } from '../../core/object.js';
import { repositoryId } from '../../core/repository-id.js';
import { maxLockBytes } from '../../core/serialized-object.js';
import type { Store } from '../../core/store.js';
import { sendChunks } from '../send-read.js';
import type { CallContext, Calls } from './call.js';
import { parseKind, parseRange, parseRef, toDetails, wireAccess, wireKinds } from './convert.js';
import { encodeChunked, encodeWhole } from './framing.js';
import { answerRead, decodeReads, encodeRanges, readsAtOnce } from './read-ranges.js';
import { decodeChunked } from './unframing.js';
import { parseUpload } from './upload.js';

export interface StoreServiceOptions {
  readonly calls: Calls;
  /** The gateway's version, as GetStoreInfo tells it. */
  readonly version: string;
}

/** MACs in one message of a list: 34 bytes each on the wire, so some 280 KiB. */
const listBatch = 8192;

/** How many objects are looked at at once for a list with details. */
const statsAhead = 16;

const decodeUpload = decodeChunked(PutObjectRequest, 2, (value): PutObjectRequest => ({
  part: { $case: 'chunk', value },
}));

/** The service kloset.store.v1.StoreService: the messages are explained in its proto file. */
export function storeService({ calls, version }: StoreServiceOptions): StoreServiceServer {
  return {
    getStoreInfo: calls.unary(async ({ store: name }, context) => {
      const store = context.storeOf(name);
      const config = await store.config(context);
      const info = store.info();
      return {
        config,
        repositoryId: repositoryId(config) ?? new Uint8Array(),
        access: wireAccess[info.access],
        kinds: [...wireKinds],
        maxObjectSize: BigInt(info.maxObjectBytes),
        maxLockSize: BigInt(maxLockBytes),
        durable: info.durable,
        gatewayVersion: version,
      };
    }),

    listObjects: calls.serverStream(encodeWhole(ListObjectsResponse), async (request, send, context) => {
      const store = context.storeOf(request.store);
      const kind = parseKind(request.kind);
      context.record.path = `${kind}s`;
      for await (const batch of store.list(kind, context)) {
        for (let start = 0; start < batch.length; start += listBatch) {
          const macs = batch.slice(start, start + listBatch);
          const part = request.withDetails ? await withDetails(store, kind, macs, context) : listed(macs);
          await send(part);
          context.record.sent += part.macs.length * macBytes;
        }
      }
    }),

    statObject: calls.unary(async ({ store, ref: wireRef }, context) => {
      const ref = parseRef(wireRef);
      context.record.path = `${ref.kind}s/${ref.mac}`;
      return { details: toDetails(await context.storeOf(store).stat(ref, context)) };
    }),

    getObject: calls.serverStream(encodeChunked(GetObjectResponse, 2), async (request, send, context) => {
      const ref = parseRef(request.ref);
      context.record.path = `${ref.kind}s/${ref.mac}`;
      const range = request.range === undefined ? undefined : parseRange(request.range);
      const read = await context.storeOf(request.store).get(ref, range, context);
      let header: GetObjectResponse['header'] = {
        objectSize: BigInt(read.objectSize),
        length: BigInt(read.length),
      };
      // The header goes with the first bytes, so that a small answer is one message.
      await sendChunks(read, async (chunk) => {
        await send({ header, chunk });
        context.record.sent += chunk.length;
        header = undefined;
      });
    }),

    readRanges: calls.bidi(decodeReads, encodeRanges, readsAtOnce, answerRead),

    putObject: calls.clientStream(decodeUpload, async (requests: AsyncIterable<PutObjectRequest>, context) => {
      const { store, ref, body } = await parseUpload(requests, context.record);
      context.record.path = `${ref.kind}s/${ref.mac}`;
      return context.storeOf(store).put(ref, body, context);
    }),

    deleteObject: calls.unary(async ({ store, ref: wireRef }, context) => {
      const ref = parseRef(wireRef);
      context.record.path = `${ref.kind}s/${ref.mac}`;
      await context.storeOf(store).delete(ref, context);
      return {};
    }),
  };
}

function listed(macs: MacBatch): ListObjectsResponse {
  return { macs: macs.toBytes(), details: [] };
}

/** A list's message with details. What is deleted while the list goes on is left out of it. */
async function withDetails(
  store: Store,
  kind: ObjectKind,
  macs: MacBatch,
  context: CallContext,
): Promise<ListObjectsResponse> {
  const response: ListObjectsResponse = { macs: [], details: [] };
  const stats = mapAhead(macs, statsAhead, async (mac) => ({
    mac,
    stat: await statIfPresent(store, kind, mac, context),
  }));
  for await (const { mac, stat } of stats) {
    if (stat === undefined) continue;
    response.macs.push(macToBytes(mac));
    response.details.push(toDetails(stat));
  }
  return response;
}

async function statIfPresent(store: Store, kind: ObjectKind, mac: Mac, context: CallContext) {
  try {
    return await store.stat({ kind, mac }, context);
  } catch (error) {
    if (hasCode(error, 'not_found')) return undefined;
    throw error;
  }
}
