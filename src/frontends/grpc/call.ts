import {
  Metadata,
  status,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerErrorResponse,
} from '@grpc/grpc-js';
import { setMaxListeners, type EventEmitter } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import type { AccessControl } from '../../core/access-control.js';
import type { Peer } from '../../core/caller.js';
import type { StoreError } from '../../core/errors.js';
import { canceled } from '../../core/errors.js';
import type { RequestRecord } from '../../core/request.js';
import { errorCodeKey, wireStatus } from '../../core/status.js';
import { checkStoreName } from '../../core/store-name.js';
import type { OpContext, Store } from '../../core/store.js';
import type { Logger } from '../../lib/logger.js';
import { ownCopyKey } from '../../wire/own-copy.js';
import type { Pace } from '../pace.js';
import { reportError, type Requests } from '../requests.js';
import { messagesOnDemand } from './limited-server.js';
import { messageSender, type Send } from './message-sender.js';
import { received } from './received.js';

/** An HTTP/2 connection: one object for all of its calls. */
export interface Connection {
  readonly peer: Peer;
}

/** Where a call came from. */
export interface CallOrigin {
  readonly connection: Connection;
  /** The HTTP/2 stream, where it is known: to count bytes and to reset the call. Messages go through grpc-js. */
  readonly stream?: ServerHttp2Stream;
}

/** What every handler is given. */
export interface CallContext extends OpContext {
  readonly connection: Connection;
  /** The store of this name, as the caller may use it, see AccessControl. */
  readonly storeOf: (name: string) => Store;
  /** The call's entry in the log, which the handler completes. */
  readonly record: RequestRecord;
  /** Logs an error that doesn't end the call, and returns it as the client may see it. */
  readonly report: (error: unknown) => StoreError;
}

/** What grpc-js's four kinds of calls have in common. */
interface Call extends EventEmitter {
  readonly cancelled: boolean;
  readonly metadata: Metadata;
  getPath(): string;
  /** Infinity where there is none. */
  getDeadline(): Date | number;
}

/** The work for a call, up to its answer. */
type Work = (context: CallContext, origin: CallOrigin) => Promise<void>;

/** Answers a call with an error. */
type Fail = (error: Partial<ServerErrorResponse>) => void;

export interface CallsOptions {
  readonly requests: Requests;
  readonly access: AccessControl;
  /** Where the call with this metadata came from; undefined where its connection or stream is closed. */
  readonly originOf: (metadata: Metadata) => CallOrigin | undefined;
  readonly pace: Pace;
  readonly log: Logger;
}

/**
 * Makes handlers for grpc-js of functions over promises, async iterables and abort signals. What such a function throws becomes the
 * call's status. Each call is logged, and is in `requests` until its function has returned.
 */
export class Calls {
  constructor(private readonly options: CallsOptions) {}

  unary<Req, Res>(handler: (request: Req, context: CallContext) => Promise<Res>): handleUnaryCall<Req, Res> {
    return (call, callback) => {
      void this.serve(call, async (context) => callback(null, await handler(call.request, context)), callback);
    };
  }

  serverStream<Req, Res>(
    handler: (request: Req, send: Send<Res>, context: CallContext) => Promise<void>,
  ): handleServerStreamingCall<Req, Res> {
    return (call) => {
      const work: Work = async (context, { stream }) => {
        await handler(call.request, messageSender({ call, stream, pace: this.options.pace, ...context }), context);
        call.end();
      };
      // To destroy the call instead would leave the client without a status.
      void this.serve(call, work, (error) => call.emit('error', error));
    };
  }

  clientStream<Req, Res>(
    handler: (requests: AsyncIterable<Req>, context: CallContext) => Promise<Res>,
  ): handleClientStreamingCall<Req, Res> {
    return (call, callback) => {
      const demand = messagesOnDemand(call.metadata);
      const work: Work = async (context, { stream }) => {
        const requests = received(call, { demand, stream, transfer: this.options.pace.start() });
        callback(null, await handler(requests, context));
      };
      void this.serve(call, work, callback);
    };
  }

  /** The client may take any time between its messages. */
  bidi<Req, Res>(
    handler: (requests: AsyncIterable<Req>, send: Send<Res>, context: CallContext) => Promise<void>,
  ): handleBidiStreamingCall<Req, Res> {
    return (call) => {
      const demand = messagesOnDemand(call.metadata);
      const work: Work = async (context, { stream }) => {
        const send = messageSender<Res>({ call, stream, pace: this.options.pace, ...context });
        await handler(received(call, { demand }), send, context);
        call.end();
      };
      void this.serve(call, work, (error) => call.emit('error', error));
    };
  }

  private async serve(call: Call, work: Work, fail: Fail): Promise<void> {
    const { access, log, requests, originOf } = this.options;
    const origin = originOf(call.metadata);
    // grpc-js may start a call that its client has reset, or whose connection it has closed, right after its message.
    if (origin === undefined || call.cancelled || origin.stream?.destroyed === true)
      return fail(errorStatus(canceled()));
    const { connection } = origin;
    const ended = new AbortController();
    // All reads of a call listen to the signal.
    setMaxListeners(0, ended.signal);
    call.on('cancelled', () => ended.abort(canceled()));
    const overdue = afterDeadline(call, () => ended.abort(canceled()));
    const report = (error: unknown): StoreError => reportError(error, log);
    const record = requests.start('grpc', call.getPath(), '', connection.peer.address);
    try {
      const caller = await access.login(connection.peer, call.metadata.get('authorization')[0]?.toString());
      record.principal = caller.principal;
      const storeOf = (name: string): Store => access.storeOf(caller, checkStoreName(name));
      const ownCopy = call.metadata.get(ownCopyKey).length > 0;
      await work({ signal: ended.signal, ownCopy, record, report, connection, storeOf }, origin);
      record.status = 'OK';
    } catch (error) {
      const answer = errorStatus(report(error));
      record.status = status[answer.code] ?? answer.code;
      fail(answer);
    }
    clearTimeout(overdue);
    requests.end(record);
  }
}

/** The gRPC status of an error, with its code beside it. */
function errorStatus({ code, message }: StoreError): { code: status; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  metadata.set(errorCodeKey, code);
  return { code: wireStatus[code].grpc, details: message, metadata };
}

/** Node's timers can't be set for longer, in milliseconds. */
const maxTimerMs = 2 ** 31;

/**
 * Calls `act` where a call outlives its deadline. grpc-js sends the status at the deadline, but it can't where the client takes nothing,
 * and the handler would wait for that as long as the connection is open.
 */
function afterDeadline(call: Call, act: () => void): NodeJS.Timeout | undefined {
  const graceMs = 1000;
  const ms = Number(call.getDeadline()) - Date.now() + graceMs;
  return ms < maxTimerMs ? setTimeout(act, ms).unref() : undefined;
}
