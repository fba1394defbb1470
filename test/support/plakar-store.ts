import { Client, type ClientUnaryCall, type ServiceError } from '@grpc/grpc-js';
import {
  StoreService,
  type GetResponse,
  type ListResponse,
  type OpenResponse,
  type PutRequest,
  type PutResponse,
} from '../../gen/plakar/store.js';
import { received, unary, upload } from '../../src/client/calls.js';
import { MacBatch } from '../../src/core/mac-batch.js';
import { macFromBytes, macToBytes, type ObjectKind, type ObjectRef } from '../../src/core/object.js';
import type { ByteRange } from '../../src/core/range.js';
import type { ObjectRead, ObjectStat, PutResult, Store, StoreInfo } from '../../src/core/store.js';
import { grpcOptions, type ClientOptions } from './client-options.js';

const types: Record<ObjectKind, number> = { packfile: 1, state: 2, lock: 3 };

type UnaryName = 'init' | 'create' | 'open' | 'ping' | 'mode' | 'size' | 'list' | 'delete' | 'close';

/** A client of plakar's service store.Store, as a Store. The protocol has no stat: this one reads the whole object. */
export class PlakarStore implements Store {
  readonly client: Client;
  private readonly openedMs = Date.now();

  constructor(address: string, options: ClientOptions = {}) {
    const { credentials, channel } = grpcOptions(options);
    // plakar's clients don't share connections.
    this.client = new Client(address, credentials, { ...channel, 'grpc.use_local_subchannel_pool': 1 });
  }

  /** Connects and sends Init. */
  static async open(
    port: number,
    config: Record<string, string> = { location: 'grpc://gateway' },
    options: ClientOptions = {},
  ): Promise<PlakarStore> {
    const store = new PlakarStore(`127.0.0.1:${port}`, options);
    await store.ask('init', { proto: 'grpc', config });
    return store;
  }

  /** Runs a unary call. */
  ask<Res>(name: UnaryName, request: object): Promise<Res> {
    const { path, requestSerialize, responseDeserialize } = StoreService[name];
    return unary<Res>(
      undefined,
      (done) =>
        this.client.makeUnaryRequest(
          path,
          requestSerialize as (value: object) => Buffer,
          responseDeserialize as (bytes: Buffer) => Res,
          request,
          done as (error: ServiceError | null, value?: Res) => void,
        ) as ClientUnaryCall,
    );
  }

  info(): StoreInfo {
    throw new Error('the protocol has no such request');
  }

  async config(): Promise<Uint8Array> {
    return (await this.ask<OpenResponse>('open', {})).config;
  }

  async *list(kind: ObjectKind): AsyncGenerator<MacBatch> {
    yield MacBatch.of((await this.ask<ListResponse>('list', { type: types[kind] })).macs.map(macFromBytes));
  }

  async stat(ref: ObjectRef): Promise<ObjectStat> {
    return { size: (await this.get(ref, undefined)).length, modifiedMs: this.openedMs };
  }

  async get({ kind, mac }: ObjectRef, range: ByteRange | undefined): Promise<ObjectRead> {
    const { path, requestSerialize, responseDeserialize } = StoreService.get;
    const wireRange = range && { offset: BigInt(range.offset), length: range.length };
    const request = { mac: macToBytes(mac), type: types[kind], range: wireRange };
    // Without the options, whose interceptors would replace those of the client.
    const responses = received<GetResponse>(undefined, () =>
      this.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request),
    );
    const chunks: Uint8Array[] = [];
    for await (const { chunk } of responses) chunks.push(chunk);
    const data = Buffer.concat(chunks);
    return { objectSize: NaN, length: data.length, data, release: () => undefined };
  }

  async put({ kind, mac }: ObjectRef, body: AsyncIterable<Uint8Array>): Promise<PutResult> {
    async function* messages(): AsyncGenerator<PutRequest> {
      yield { mac: macToBytes(mac), type: types[kind], chunk: new Uint8Array() };
      for await (const chunk of body) yield { mac: new Uint8Array(), type: 0, chunk };
    }
    const { path, requestSerialize, responseDeserialize } = StoreService.put;
    const client = this.client;
    await upload<PutRequest, PutResponse>(
      undefined,
      (done) =>
        client.makeClientStreamRequest(
          path,
          requestSerialize,
          responseDeserialize,
          done as (error: ServiceError | null, value?: PutResponse) => void,
        ),
      messages(),
    );
    return { created: true };
  }

  async delete({ kind, mac }: ObjectRef): Promise<void> {
    await this.ask('delete', { mac: macToBytes(mac), type: types[kind] });
  }

  async close(): Promise<void> {
    this.client.close();
  }
}
