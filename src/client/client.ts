import {
  Metadata,
  type CallOptions as GrpcOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
} from '@grpc/grpc-js';
import {
  StoreServiceClient,
  type DeleteObjectResponse,
  type GetObjectResponse,
  type GetStoreInfoResponse,
  type ListObjectsResponse,
  type PutObjectResponse,
  type StatObjectResponse,
} from '../../gen/kloset/store/v1/store.js';
import type { Access } from '../core/access.js';
import { macFromBytes, type Mac, type ObjectKind, type ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectStat, PutResult } from '../core/store.js';
import { received, unary, upload, type Done } from './calls.js';
import { fromAccess, fromDetails, toKind, toRange, toRef } from '../wire/objects.js';
import { ownCopyKey } from '../wire/own-copy.js';
import { channelCredentials, channelOptions, type ConnectionOptions } from './connection.js';
import { downloadOf, type Download } from './download.js';
import { putMessages } from './put-messages.js';
import { readRanges, type RangeAnswer, type RangeRead } from './read-ranges.js';
import { retried, retriedIteration, type Bounds } from '../core/retry.js';

export interface ClientOptions extends ConnectionOptions {
  /** The store's name at the gateway (default: its default store). */
  readonly store?: string;
  /** How long a call with a single answer may take, in milliseconds (default 60,000). Streams have no default limit. */
  readonly deadlineMs?: number;
  /** How many times a call that is safe to repeat is attempted while the gateway is unavailable (default 4). */
  readonly attempts?: number;
  /** Whether objects are read from the store itself only, and not from its mirror where it can't read them (default false). */
  readonly ownCopy?: boolean;
}

/** Options of each call. */
export interface CallOptions {
  /** Cancels the call, which then fails with `canceled`. */
  readonly signal?: AbortSignal | undefined;
  /** How long the call may take with all attempts, in milliseconds; beyond that it fails with `unavailable`. */
  readonly deadlineMs?: number | undefined;
}

/** The last arguments of every method of a stub. */
type CallArguments = [Metadata, GrpcOptions];

/** A store, as this caller may use it. */
export interface StoreDescription {
  readonly config: Uint8Array;
  /** 16 bytes; empty where CONFIG doesn't have one. */
  readonly repositoryId: Uint8Array;
  readonly access: Access;
  /** The largest packfile or state, in bytes. */
  readonly maxObjectBytes: number;
  readonly maxLockBytes: number;
  /** Whether an acknowledged put is synced to disk. */
  readonly durable: boolean;
  /** No packfile or state is deleted before it is so old, in milliseconds; 0: there is no such rule. */
  readonly retentionMs: number;
  /** For how long the operator can bring back deleted packfiles and states, in milliseconds; 0: they are gone at once. */
  readonly trashMs: number;
  readonly gatewayVersion: string;
}

const defaultDeadlineMs = 60_000;
const defaultAttempts = 4;

/**
 * A client of one store of a gateway. Every method fails with a StoreError. Reads and deletes are retried while the gateway is
 * unavailable, until the first byte of an answer was given to the caller; a put is retried only where its body is a Uint8Array.
 */
export class GatewayClient {
  private readonly stub: StoreServiceClient;
  private readonly store: string;
  private readonly attempts: number;
  private readonly deadlineMs: number;

  /** @param shared another client of the same gateway, whose connection this one uses; closing either closes it */
  constructor(
    private readonly options: ClientOptions,
    shared?: GatewayClient,
  ) {
    this.stub =
      shared?.stub ?? new StoreServiceClient(options.address, channelCredentials(options.tls ?? false), channelOptions);
    this.store = options.store ?? '';
    this.attempts = options.attempts ?? defaultAttempts;
    this.deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
  }

  async describe(options: CallOptions = {}): Promise<StoreDescription> {
    const info = await this.unary<GetStoreInfoResponse>(options, (call, done) =>
      this.stub.getStoreInfo({ store: this.store }, ...call, done),
    );
    return {
      config: info.config,
      repositoryId: info.repositoryId,
      access: fromAccess(info.access),
      maxObjectBytes: Number(info.maxObjectSize),
      maxLockBytes: Number(info.maxLockSize),
      durable: info.durable,
      retentionMs: Number(info.retentionMs),
      trashMs: Number(info.trashMs),
      gatewayVersion: info.gatewayVersion,
    };
  }

  /** All objects of a kind, in batches. An incomplete list ends with an error. */
  async *list(kind: ObjectKind, options: CallOptions = {}): AsyncGenerator<Mac[], void, undefined> {
    for await (const { macs } of this.listMessages(kind, false, options)) yield macs.map(macFromBytes);
  }

  /** All objects of a kind with their sizes and modification times. The gateway has to stat each of them. */
  async *listWithDetails(
    kind: ObjectKind,
    options: CallOptions = {},
  ): AsyncGenerator<(ObjectStat & { readonly mac: Mac })[], void, undefined> {
    for await (const { macs, details } of this.listMessages(kind, true, options)) {
      yield macs.map((mac, i) => ({ mac: macFromBytes(mac), ...fromDetails(details[i]) }));
    }
  }

  async stat(ref: ObjectRef, options: CallOptions = {}): Promise<ObjectStat> {
    const request = { store: this.store, ref: toRef(ref) };
    const { details } = await this.unary<StatObjectResponse>(options, (call, done) =>
      this.stub.statObject(request, ...call, done),
    );
    return fromDetails(details);
  }

  /** An object, or a range of it. Fails before it returns where the gateway refuses the read. */
  async get(ref: ObjectRef, range?: ByteRange, options: CallOptions = {}): Promise<Download> {
    const request = { store: this.store, ref: toRef(ref), range: range && toRange(range) };
    const messages = this.stream<GetObjectResponse>(options, (call) => this.stub.getObject(request, ...call));
    return downloadOf(messages);
  }

  /** Like `get`, with all bytes in one buffer. */
  async read(ref: ObjectRef, range?: ByteRange, options: CallOptions = {}): Promise<Uint8Array> {
    const { chunks } = await this.get(ref, range, options);
    const all: Uint8Array[] = [];
    for await (const chunk of chunks) all.push(chunk);
    return all.length === 1 && all[0] !== undefined ? all[0] : Buffer.concat(all);
  }

  /** Many small reads on one stream, answered as they are ready. A read that fails is answered with its error. */
  readRanges(
    reads: AsyncIterable<RangeRead> | Iterable<RangeRead>,
    options: CallOptions = {},
  ): AsyncGenerator<RangeAnswer> {
    const { signal, deadline } = this.bounds(options);
    const start = (grpcOptions: GrpcOptions) => this.stub.readRanges(...this.callArguments(deadline, grpcOptions));
    return readRanges({ start, store: this.store, reads, signal });
  }

  /** Stores an object. A body that is a stream is sent once; a Uint8Array is sent again where the connection is lost. */
  async put(
    ref: ObjectRef,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<PutResult> {
    const bounds = this.bounds(options);
    const attempt = () =>
      upload(
        options.signal,
        (done: Done<PutObjectResponse>) => this.stub.putObject(...this.callArguments(bounds.deadline), done),
        putMessages(this.store, ref, body instanceof Uint8Array ? [body] : body),
        // The gateway stores nothing without the finish, and answers when it has cleaned up.
        (call) => call.end(),
      );
    return body instanceof Uint8Array ? retried(bounds, attempt) : attempt();
  }

  /** Removes an object. Succeeds where it doesn't exist. */
  async delete(ref: ObjectRef, options: CallOptions = {}): Promise<void> {
    const request = { store: this.store, ref: toRef(ref) };
    await this.unary<DeleteObjectResponse>(options, (call, done) => this.stub.deleteObject(request, ...call, done));
  }

  /** Closes the connection once the calls on it have ended. */
  close(): void {
    this.stub.close();
  }

  private listMessages(kind: ObjectKind, withDetails: boolean, options: CallOptions) {
    const request = { store: this.store, kind: toKind(kind), withDetails };
    return this.stream<ListObjectsResponse>(options, (call) => this.stub.listObjects(request, ...call));
  }

  /** A call with one answer. */
  private unary<Res>(
    { signal, deadlineMs = this.deadlineMs }: CallOptions,
    start: (call: CallArguments, done: Done<Res>) => ClientUnaryCall,
  ): Promise<Res> {
    const bounds = this.bounds({ signal, deadlineMs });
    return retried(bounds, () => unary<Res>(signal, (done) => start(this.callArguments(bounds.deadline), done)));
  }

  /** A call that streams its answer. */
  private stream<Res>(
    options: CallOptions,
    start: (call: CallArguments) => ClientReadableStream<Res>,
  ): AsyncGenerator<Res, void, undefined> {
    const bounds = this.bounds(options);
    return retriedIteration(bounds, () =>
      received<Res>(bounds.signal, (grpcOptions) => start(this.callArguments(bounds.deadline, grpcOptions))),
    );
  }

  /**
   * The arguments for one call: grpc-js changes the objects.
   *
   * @param deadline by when the call has to end, in milliseconds as from `Date.now`; undefined for never
   */
  private callArguments(deadline: number | undefined, options: GrpcOptions = {}): CallArguments {
    const metadata = new Metadata();
    if (this.options.token !== undefined) metadata.set('authorization', `Bearer ${this.options.token}`);
    if (this.options.ownCopy === true) metadata.set(ownCopyKey, '1');
    return [metadata, deadline === undefined ? options : { ...options, deadline }];
  }

  private bounds({ signal, deadlineMs }: CallOptions): Bounds {
    const deadline = deadlineMs === undefined ? undefined : Date.now() + deadlineMs;
    return { attempts: this.attempts, deadline, signal };
  }
}
