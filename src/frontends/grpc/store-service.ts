import {
  GetObjectResponse,
  StoreServiceService,
  type ListObjectsResponse,
  type PutObjectRequest,
  type StoreServiceServer,
} from '../../../gen/kloset/store/v1/store.js';
import { ifPresent } from '../../core/errors.js';
import type { MacBatch } from '../../core/mac-batch.js';
import { macBytes, macToBytes, objectKinds, type ObjectKind } from '../../core/object.js';
import { configFields } from '../../core/config-fields.js';
import { maxLockBytes } from '../../core/serialized-object.js';
import type { Store } from '../../core/store.js';
import { mapAhead } from '../../lib/map-ahead.js';
import { fromKind, fromRange, fromRef, toAccess, toDetails, toKind } from '../../wire/objects.js';
import { sendChunks } from '../send-chunks.js';
import type { CallContext, Calls } from './call.js';
import { chunkSerializer, serializeReadRangesResponse } from './codecs.js';
import { readRanges } from './read-ranges.js';
import { parseUpload } from './upload.js';

export interface StoreServiceOptions {
  readonly calls: Calls;
  /** The gateway's version, for GetStoreInfo. */
  readonly version: string;
}

/** The most MACs in one message of a list: 34 bytes each on the wire, so some 280 KiB. */
const maxListed = 8192;

/** How many stats of a list with details run at the same time. */
const statsAhead = 16;

/** kloset.store.v1.StoreService, with faster serializers for objects' bytes. */
export const storeServiceDefinition: typeof StoreServiceService = {
  ...StoreServiceService,
  getObject: { ...StoreServiceService.getObject, responseSerialize: chunkSerializer(GetObjectResponse, 2) },
  readRanges: { ...StoreServiceService.readRanges, responseSerialize: serializeReadRangesResponse },
};

/** The handlers of kloset.store.v1.StoreService; its proto file documents the messages. */
export function storeService({ calls, version }: StoreServiceOptions): StoreServiceServer {
  return {
    getStoreInfo: calls.unary(async ({ store: name }, context) => {
      const store = context.storeOf(name);
      const config = await store.config(context);
      const info = store.info();
      return {
        config,
        repositoryId: configFields(config).repositoryId ?? new Uint8Array(),
        access: toAccess(info.access),
        kinds: objectKinds.map(toKind),
        maxObjectSize: BigInt(info.maxObjectBytes),
        maxLockSize: BigInt(maxLockBytes),
        durable: info.durable,
        retentionMs: BigInt(info.retentionMs),
        trashMs: BigInt(info.trashMs),
        gatewayVersion: version,
      };
    }),

    listObjects: calls.serverStream(async (request, send, context) => {
      const store = context.storeOf(request.store);
      const kind = fromKind(request.kind);
      context.record.path = `${kind}s`;
      for await (const batch of store.list(kind, context)) {
        for (let start = 0; start < batch.length; start += maxListed) {
          const macs = batch.slice(start, start + maxListed);
          const message = request.withDetails ? await withDetails(store, kind, macs, context) : listed(macs);
          await send(message, message.macs.length * macBytes);
        }
      }
    }),

    statObject: calls.unary(async ({ store, ref: wireRef }, context) => {
      const ref = fromRef(wireRef);
      context.record.path = `${ref.kind}s/${ref.mac}`;
      return { details: toDetails(await context.storeOf(store).stat(ref, context)) };
    }),

    getObject: calls.serverStream(async (request, send, context) => {
      const ref = fromRef(request.ref);
      context.record.path = `${ref.kind}s/${ref.mac}`;
      const range = request.range === undefined ? undefined : fromRange(request.range);
      const read = await context.storeOf(request.store).get(ref, range, context);
      let header: GetObjectResponse['header'] = {
        objectSize: BigInt(read.objectSize),
        length: BigInt(read.length),
      };
      // The header is in the first chunk's message, so that a small answer is one message.
      await sendChunks(read, async (chunk) => {
        await send({ header, chunk }, chunk.length);
        header = undefined;
      });
    }),

    readRanges: calls.bidi(readRanges),

    putObject: calls.clientStream(async (requests: AsyncIterable<PutObjectRequest>, context) => {
      const { store, ref, body } = await parseUpload(requests, context.record);
      context.record.path = `${ref.kind}s/${ref.mac}`;
      return context.storeOf(store).put(ref, body, context);
    }),

    deleteObject: calls.unary(async ({ store, ref: wireRef }, context) => {
      const ref = fromRef(wireRef);
      context.record.path = `${ref.kind}s/${ref.mac}`;
      await context.storeOf(store).delete(ref, context);
      return {};
    }),
  };
}

function listed(macs: MacBatch): ListObjectsResponse {
  return { macs: macs.toBytes(), details: [] };
}

/** A list's message with details, without the objects that were deleted meanwhile. */
async function withDetails(
  store: Store,
  kind: ObjectKind,
  macs: MacBatch,
  context: CallContext,
): Promise<ListObjectsResponse> {
  const response: ListObjectsResponse = { macs: [], details: [] };
  const stats = mapAhead(macs, statsAhead, async (mac) => ({
    mac,
    stat: await ifPresent(store.stat({ kind, mac }, context)),
  }));
  for await (const { mac, stat } of stats) {
    if (stat === undefined) continue;
    response.macs.push(macToBytes(mac));
    response.details.push(toDetails(stat));
  }
  return response;
}
