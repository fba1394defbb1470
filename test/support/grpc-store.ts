import type { ServiceError } from '@grpc/grpc-js';
import {
  ObjectKind as WireKind,
  StoreServiceClient,
  type GetObjectResponse,
  type ListObjectsResponse,
  type ObjectRef as WireRef,
} from '../../gen/kloset/store/v1/store.js';
import { errorCodes, StoreError } from '../../src/core/errors.js';
import { MacBatch } from '../../src/core/mac-batch.js';
import { macFromBytes, macToBytes, type ObjectKind, type ObjectRef } from '../../src/core/object.js';
import type { ByteRange } from '../../src/core/range.js';
import { wireStatus } from '../../src/core/status.js';
import type { ObjectRead, ObjectStat, PutResult, Store, StoreInfo } from '../../src/core/store.js';
import { grpcOptions, type ClientOptions } from './client-options.js';

const kinds: Record<ObjectKind, WireKind> = {
  packfile: WireKind.OBJECT_KIND_PACKFILE,
  state: WireKind.OBJECT_KIND_STATE,
  lock: WireKind.OBJECT_KIND_LOCK,
};

export function wireRef({ kind, mac }: ObjectRef): WireRef {
  return { kind: kinds[kind], mac: macToBytes(mac) };
}

export function connect(port: number, options: ClientOptions = {}): StoreServiceClient {
  const { credentials, channel } = grpcOptions(options);
  return new StoreServiceClient(`127.0.0.1:${port}`, credentials, channel);
}

/** A client of kloset.store.v1, as a Store, which can go through the conformance suite. */
export class GrpcStore implements Store {
  readonly client: StoreServiceClient;

  /** The store's name. */
  protected readonly name: string;

  constructor(port: number, options: ClientOptions = {}) {
    this.client = connect(port, options);
    this.name = options.store ?? '';
  }

  info(): StoreInfo {
    throw new Error('ask with getStoreInfo');
  }

  async config(): Promise<Uint8Array> {
    return (await unary<{ config: Uint8Array }>((done) => this.client.getStoreInfo({ store: this.name }, done))).config;
  }

  async *list(kind: ObjectKind): AsyncGenerator<MacBatch> {
    const call = this.client.listObjects({ store: this.name, kind: kinds[kind], withDetails: false });
    try {
      for await (const { macs } of call as AsyncIterable<ListObjectsResponse>)
        yield MacBatch.of(macs.map(macFromBytes));
    } catch (error) {
      throw fromStatus(error);
    }
  }

  async stat(ref: ObjectRef): Promise<ObjectStat> {
    const { details } = await unary<{ details: { size: bigint; modifiedUnixMs: bigint } | undefined }>((done) =>
      this.client.statObject({ store: this.name, ref: wireRef(ref) }, done),
    );
    return { size: Number(details?.size), modifiedMs: Number(details?.modifiedUnixMs) };
  }

  async get(ref: ObjectRef, range: ByteRange | undefined): Promise<ObjectRead> {
    const call = this.client.getObject({
      store: this.name,
      ref: wireRef(ref),
      range: range && { offset: BigInt(range.offset), length: range.length },
    });
    const messages = (call as AsyncIterable<GetObjectResponse>)[Symbol.asyncIterator]();
    const first = await messages.next().catch((error: unknown) => Promise.reject(fromStatus(error)));
    if (first.done === true || first.value.header === undefined) throw new Error('no header');
    const { objectSize, length } = first.value.header;
    const { chunk } = first.value;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield chunk;
      for (let next = await messages.next(); next.done !== true; next = await messages.next()) yield next.value.chunk;
    }
    return { objectSize: Number(objectSize), length: Number(length), data: chunks(), release: () => call.cancel() };
  }

  async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>): Promise<PutResult> {
    let answered = false;
    const result = new Promise<PutResult>((resolve, reject) => {
      const call = this.client.putObject((error, response) => {
        answered = true;
        if (error === null) resolve({ created: response.created });
        else reject(fromStatus(error));
      });
      // Writing to a call that has ended is an error, too; its status is what counts.
      call.on('error', () => undefined);
      const send = async (): Promise<void> => {
        const write = (part: Parameters<typeof call.write>[0]['part']): Promise<unknown> =>
          new Promise((done) => call.write({ part }, done));
        await write({ $case: 'header', value: { store: this.name, ref: wireRef(ref) } });
        let length = 0;
        for await (const chunk of body) {
          if (answered) return;
          length += chunk.length;
          await write({ $case: 'chunk', value: chunk });
        }
        await write({ $case: 'finish', value: { length: BigInt(length) } });
        call.end();
      };
      send().catch((error: unknown) => {
        call.cancel();
        reject(error as Error);
      });
    });
    return result;
  }

  async delete(ref: ObjectRef): Promise<void> {
    await unary((done) => this.client.deleteObject({ store: this.name, ref: wireRef(ref) }, done));
  }

  async close(): Promise<void> {
    this.client.close();
  }
}

/** Runs a unary call as a promise. */
export function unary<Res>(call: (done: (error: ServiceError | null, response: Res) => void) => unknown): Promise<Res> {
  return new Promise((resolve, reject) => {
    call((error, response) => {
      if (error === null) resolve(response);
      else reject(fromStatus(error));
    });
  });
}

/** The StoreError for a gRPC status: the first code that has it, so `invalid_argument` instead of `too_large`. */
export function fromStatus(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || !('details' in error)) return error;
  const code = errorCodes.find((each) => wireStatus[each].grpc === error.code);
  return code === undefined ? error : new StoreError(code, String(error.details));
}
