import type { ClientReadableStream, ClientUnaryCall } from '@grpc/grpc-js';
import type {
  DeleteObjectResponse,
  GetObjectResponse,
  GetStoreInfoResponse,
  ListObjectsResponse,
  PutObjectResponse,
  StatObjectResponse,
} from '../../gen/kloset/store/v1/store.js';
import type { Access } from '../core/access.js';
import { macFromBytes, type Mac, type ObjectKind, type ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectStat, PutResult } from '../core/store.js';
import { received, unary, upload, type Done } from './calls.js';
import { Connection, type CallArguments, type ConnectionOptions } from './connection.js';
import { downloadOf, type Download } from './download.js';
import { readRanges, type RangeAnswer, type RangeRead } from './read-ranges.js';
import { retried, retriedIteration, type Bounds } from './retry.js';
import { fromDetails, fromWireAccess, putMessages, toWireKind, toWireRange, toWireRef } from './wire.js';

export interface ClientOptions extends ConnectionOptions {
  /** The store's name at the gateway; empty, the default, for its default one. */
  readonly store?: string;
  /** How long an answer that isn't a stream may take, in milliseconds (default 60,000). Streams have no limit of their own. */
  readonly deadlineMs?: number;
  /** How often what is safe to repeat is tried in all, while the gateway can't be reached (default 4). */
  readonly attempts?: number;
}

/** For each call. */
export interface CallOptions {
  /** Ends the call; it fails with `canceled` then. */
  readonly signal?: AbortSignal | undefined;
  /** How long it may take in all, in milliseconds; it fails with `unavailable` then. */
  readonly deadlineMs?: number | undefined;
}

/** What a store is for this caller. */
export interface StoreDescription {
  readonly config: Uint8Array;
  /** 16 bytes; none where CONFIG doesn't tell. */
  readonly repositoryId: Uint8Array;
  readonly access: Access;
  /** In bytes. */
  readonly maxObjectBytes: number;
  readonly maxLockBytes: number;
  readonly durable: boolean;
  readonly gatewayVersion: string;
}

const defaultDeadlineMs = 60_000;
const defaultAttempts = 4;

/**
 * A client of one store of a gateway. Everything fails with a StoreError. Reads and deletes are tried again while the gateway
 * is unavailable, as long as no byte of an answer has been given out; a put only where its bytes are at hand to be sent again.
 */
export class GatewayClient {
  private readonly connection: Connection;
  private readonly store: string;
  private readonly attempts: number;
  private readonly deadlineMs: number;

  constructor(options: ClientOptions) {
    this.connection = new Connection(options);
    this.store = options.store ?? '';
    this.attempts = options.attempts ?? defaultAttempts;
    this.deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
  }

  async describe(options: CallOptions = {}): Promise<StoreDescription> {
    const { stub } = this.connection;
    const info = await this.unary<GetStoreInfoResponse>(options, (call, done) =>
      stub.getStoreInfo({ store: this.store }, ...call, done),
    );
    return {
      config: info.config,
      repositoryId: info.repositoryId,
      access: fromWireAccess(info.access),
      maxObjectBytes: Number(info.maxObjectSize),
      maxLockBytes: Number(info.maxLockSize),
      durable: info.durable,
      gatewayVersion: info.gatewayVersion,
    };
  }

  /** All objects of a kind, in batches; complete when it ends, and an error otherwise. */
  async *list(kind: ObjectKind, options: CallOptions = {}): AsyncGenerator<Mac[], void, undefined> {
    for await (const { macs } of this.listMessages(kind, false, options)) yield macs.map(macFromBytes);
  }

  /** All objects of a kind with their sizes and ages: each costs the gateway a look at it. */
  async *listWithDetails(
    kind: ObjectKind,
    options: CallOptions = {},
  ): AsyncGenerator<(ObjectStat & { readonly mac: Mac })[], void, undefined> {
    for await (const { macs, details } of this.listMessages(kind, true, options)) {
      yield macs.map((mac, i) => ({ mac: macFromBytes(mac), ...fromDetails(details[i]) }));
    }
  }

  async stat(ref: ObjectRef, options: CallOptions = {}): Promise<ObjectStat> {
    const request = { store: this.store, ref: toWireRef(ref) };
    const { stub } = this.connection;
    const { details } = await this.unary<StatObjectResponse>(options, (call, done) =>
      stub.statObject(request, ...call, done),
    );
    return fromDetails(details);
  }

  /** An object, or a range of it. Fails with `not_found` and the like before it returns. */
  async get(ref: ObjectRef, range?: ByteRange, options: CallOptions = {}): Promise<Download> {
    const request = { store: this.store, ref: toWireRef(ref), range: range && toWireRange(range) };
    const { stub } = this.connection;
    const messages = this.stream<GetObjectResponse>(options, (call) => stub.getObject(request, ...call));
    return downloadOf(messages);
  }

  /** The whole of `get`, in one buffer. */
  async read(ref: ObjectRef, range?: ByteRange, options: CallOptions = {}): Promise<Uint8Array> {
    const { chunks } = await this.get(ref, range, options);
    const all: Uint8Array[] = [];
    for await (const chunk of chunks) all.push(chunk);
    return all.length === 1 && all[0] !== undefined ? all[0] : Buffer.concat(all);
  }

  /** Many small reads on one stream, answered as they are ready. See RangeAnswer for what fails alone. */
  readRanges(
    reads: AsyncIterable<RangeRead> | Iterable<RangeRead>,
    options: CallOptions = {},
  ): AsyncGenerator<RangeAnswer> {
    const { stub } = this.connection;
    const { signal, deadline } = this.bounds(options);
    return readRanges(() => stub.readRanges(...this.connection.callArguments(deadline)), this.store, reads, signal);
  }

  /** Stores an object. A body of bytes can be sent again where the connection is lost; a stream is sent once. */
  async put(
    ref: ObjectRef,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<PutResult> {
    const { stub } = this.connection;
    const bounds = this.bounds(options);
    const attempt = () =>
      upload(
        options.signal,
        (done: Done<PutObjectResponse>) => stub.putObject(...this.connection.callArguments(bounds.deadline), done),
        putMessages(this.store, ref, body instanceof Uint8Array ? [body] : body),
        // Without its finish nothing is stored, and the gateway answers when it has cleaned up.
        (call) => call.end(),
      );
    return body instanceof Uint8Array ? retried(bounds, attempt) : attempt();
  }

  /** Removes an object; one that isn't there is success. */
  async delete(ref: ObjectRef, options: CallOptions = {}): Promise<void> {
    const request = { store: this.store, ref: toWireRef(ref) };
    const { stub } = this.connection;
    await this.unary<DeleteObjectResponse>(options, (call, done) => stub.deleteObject(request, ...call, done));
  }

  /** Closes the connection, when the calls on it have ended. */
  close(): void {
    this.connection.close();
  }

  private listMessages(kind: ObjectKind, withDetails: boolean, options: CallOptions) {
    const request = { store: this.store, kind: toWireKind(kind), withDetails };
    const { stub } = this.connection;
    return this.stream<ListObjectsResponse>(options, (call) => stub.listObjects(request, ...call));
  }

  /** A call with one answer. */
  private unary<Res>(
    { signal, deadlineMs = this.deadlineMs }: CallOptions,
    start: (call: CallArguments, done: Done<Res>) => ClientUnaryCall,
  ): Promise<Res> {
    const bounds = this.bounds({ signal, deadlineMs });
    return retried(bounds, () =>
      unary<Res>(signal, (done) => start(this.connection.callArguments(bounds.deadline), done)),
    );
  }

  /** A call that streams its answer. */
  private stream<Res>(
    options: CallOptions,
    start: (call: CallArguments) => ClientReadableStream<Res>,
  ): AsyncGenerator<Res, void, undefined> {
    const bounds = this.bounds(options);
    return retriedIteration(bounds, () =>
      received<Res>(bounds.signal, start(this.connection.callArguments(bounds.deadline))),
    );
  }

  private bounds({ signal, deadlineMs }: CallOptions): Bounds {
    const deadline = deadlineMs === undefined ? undefined : Date.now() + deadlineMs;
    return { attempts: this.attempts, deadline, signal };
  }
}
