import {
  Metadata,
  status,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServiceError,
} from '@grpc/grpc-js';
import { setMaxListeners, type EventEmitter } from 'node:events';
import type { ServerHttp2Session } from 'node:http2';
import { canceled, type StoreError } from '../../core/errors.js';
import type { Peer } from '../../core/caller.js';
import { holdOne } from '../../lib/hold-one.js';
import type { Logger } from '../../lib/logger.js';
import { errorCodeKey, wireStatus } from '../../core/status.js';
import { checkStoreName } from '../../core/store-name.js';
import type { OpContext, Store } from '../../core/store.js';
import type { AccessControl } from '../../core/access-control.js';
import type { Pace } from '../pace.js';
import type { Requests } from '../requests.js';
import { reportError } from '../requests.js';
import type { RequestRecord } from '../../core/request.js';
import { connectionOf, decodeWith, isOver } from './connection.js';
import { eachPart, type Part } from './each-part.js';
import type { Encode } from './framing.js';
import { MessageSender, type Send } from './message-sender.js';
import { received } from './received.js';
import { whole, type Decode } from './unframing.js';

/**
 * The largest message that asks for something, in bytes. They are small; what is decoded of one takes more memory, and that before anybody
 * is logged in.
 */
export const maxRequestBytes = 64 * 1024;

/** The largest message of an upload, in bytes: gRPC's default. */
const maxUploadMessageBytes = 4 * 1024 * 1024;

/** What the handlers of every kind of call are given. */
export interface CallContext extends OpContext {
  /** The connection that the call came on, see connectionOf. */
  readonly connection: ServerHttp2Session;
  /** The store of this name as the caller has it, see AccessControl. */
  readonly storeOf: (name: string) => Store;
  /** The handler adds to it what the log should say. */
  readonly record: RequestRecord;
  /** What the client is told of an error that doesn't end the call; the log has the rest. */
  readonly report: (error: unknown) => StoreError;
}

/** What grpc-js's four kinds of calls have in common. */
interface Call extends EventEmitter {
  readonly cancelled: boolean;
  readonly metadata: Metadata;
  getPath(): string;
  sendMetadata(metadata: Metadata): void;
  /** Infinity where there is none. */
  getDeadline(): Date | number;
}

export interface CallsOptions {
  readonly requests: Requests;
  readonly access: AccessControl;
  /** Who is at the other end of a connection. */
  readonly peerOf: (connection: ServerHttp2Session) => Peer;
  readonly pace: Pace;
  readonly log: Logger;
}

/**
 * Turns functions over promises, async iterables and abort signals into handlers for grpc-js. What they throw becomes the
 * call's status; each call is logged, and counted until its handler is done.
 */
export class Calls {
  constructor(private readonly options: CallsOptions) {}

  unary<Req, Res>(handler: (request: Req, context: CallContext) => Promise<Res>): handleUnaryCall<Req, Res> {
    return (call, callback) => {
      void this.serve(
        call,
        async (context) => callback(null, await handler(call.request, context)),
        (error) => callback(error),
      );
    };
  }

  serverStream<Req, Res>(
    encode: Encode<Res>,
    handler: (request: Req, send: Send<Res>, context: CallContext) => Promise<void>,
  ): handleServerStreamingCall<Req, Res> {
    return (call) => {
      void this.serve(
        call,
        async (context) => {
          await handler(call.request, this.sender(call, encode, context), context);
          call.end();
        },
        // Destroying the stream instead would leave the client without any status.
        (error) => call.emit('error', error),
      );
    };
  }

  /** @param decode makes messages of what came; those that it makes several of are several for the handler */
  clientStream<Req, Res>(
    decode: Decode<Req>,
    handler: (requests: AsyncIterable<Req>, context: CallContext) => Promise<Res>,
  ): handleClientStreamingCall<Req, Res> {
    return (call, callback) => {
      decodeWith(call, decode, maxUploadMessageBytes);
      holdOne(call);
      void this.serve(
        call,
        async (context) => callback(null, await handler(received<Req>(call, this.options.pace), context)),
        (error) => callback(error),
      );
    };
  }

  /**
   * @param decode finds in a message what is answered each for itself; the call's status is what it throws
   * @param atOnce how many of those of a call are answered at once
   * @param answer answers one of them; the call's status is what it throws
   */
  bidi<P extends Part, Message>(
    decode: (message: Uint8Array) => readonly P[],
    encode: Encode<Message>,
    atOnce: number,
    answer: (part: P, send: Send<Message>, context: CallContext) => Promise<void>,
  ): handleBidiStreamingCall<unknown, unknown> {
    return (call) => {
      decodeWith(call, whole, maxRequestBytes);
      void this.serve(
        call,
        async (context) => {
          const send = this.sender(call, encode, context);
          // However long such a client thinks before it asks for more.
          await eachPart(call, decode, atOnce, (part) => answer(part, send, context));
          if (call.cancelled) throw canceled();
          call.end();
        },
        (error) => call.emit('error', error),
      );
    };
  }

  private async serve(
    call: Call,
    work: (context: CallContext) => Promise<void>,
    fail: (error: Partial<ServiceError>) => void,
  ): Promise<void> {
    const { access, log, requests, peerOf } = this.options;
    // Who it came from can't be told any more.
    if (isOver(call)) return;
    const gone = new AbortController();
    // Each read that waits for its turn listens.
    setMaxListeners(0, gone.signal);
    const report = (error: unknown): StoreError => reportError(error, log);
    call.on('cancelled', () => gone.abort(canceled()));
    const overdue = afterDeadline(call, () => gone.abort(canceled()));
    const connection = connectionOf(call);
    const peer = peerOf(connection);
    const record = requests.start('grpc', call.getPath(), '', peer.address);
    requests.enter();
    try {
      const caller = await access.login(peer, call.metadata.get('authorization')[0]?.toString());
      record.principal = caller.principal;
      const storeOf = (name: string): Store => access.storeOf(caller, checkStoreName(name));
      await work({ signal: gone.signal, record, report, connection, storeOf });
      record.status = 'OK';
    } catch (error) {
      const { code, message } = report(error);
      const { grpc } = wireStatus[code];
      record.status = status[grpc] ?? grpc;
      const metadata = new Metadata();
      metadata.set(errorCodeKey, code);
      fail({ code: grpc, details: message, metadata });
    } finally {
      requests.leave();
    }
    clearTimeout(overdue);
    requests.end(record);
  }

  private sender<Res>(call: Call, encode: Encode<Res>, { signal }: CallContext): Send<Res> {
    const sender = new MessageSender(call, { encode, signal, pace: this.options.pace });
    return (message) => sender.send(message);
  }
}

/** Longer than any timer of Node's goes. */
const foreverMs = 2 ** 31;

/**
 * Runs `act` when a call goes on though its time is up. grpc-js answers it then, but a client that reads nothing never gets the
 * answer, and the handler would wait for it as long as the connection stays.
 */
function afterDeadline(call: Call, act: () => void): NodeJS.Timeout | undefined {
  const graceMs = 1000;
  const ms = Number(call.getDeadline()) - Date.now() + graceMs;
  return ms < foreverMs ? setTimeout(act, ms).unref() : undefined;
}
