import {
  Metadata,
  status,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerReadableStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { setMaxListeners, type EventEmitter } from 'node:events';
import { canceled, type StoreError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { wireStatus } from '../../core/status.js';
import type { OpContext } from '../../core/store.js';
import { reportError, type RequestRecord, type Requests } from '../requests.js';
import { connectionOf } from './connection.js';

/** What the handlers of every kind of call are given. */
export interface CallContext extends OpContext {
  /** The connection that the call came on, see connectionOf. */
  readonly connection: object;
  /** The handler adds to it what the log should say. */
  readonly record: RequestRecord;
  /** What the client is told of an error that doesn't end the call; the log has the rest. */
  readonly report: (error: unknown) => StoreError;
}

/** Sends one message. Resolves when the transport has taken its bytes: only then may the buffers in it be used again. */
export type Send<Res> = (message: Res) => Promise<void>;

/** What grpc-js's four kinds of calls have in common. */
interface Call extends EventEmitter {
  readonly cancelled: boolean;
  getPeer(): string;
  getPath(): string;
  /** Infinity where there is none. */
  getDeadline(): Date | number;
}

/** Where a call's messages go out. */
interface Sink<Res> {
  write(message: Res, taken: (error?: Error | null) => void): boolean;
}

/**
 * Turns functions over promises, async iterables and abort signals into handlers for grpc-js. What they throw becomes the
 * call's status; each call is logged, and counted until its handler is done.
 */
export class Calls {
  constructor(
    private readonly requests: Requests,
    private readonly log: Logger,
  ) {}

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
    handler: (request: Req, send: Send<Res>, context: CallContext) => Promise<void>,
  ): handleServerStreamingCall<Req, Res> {
    return (call) => {
      void this.serve(
        call,
        async (context) => {
          await handler(call.request, sender(call, context), context);
          call.end();
        },
        // Destroying the stream instead would leave the client without any status.
        (error) => call.emit('error', error),
      );
    };
  }

  clientStream<Req, Res>(
    handler: (requests: AsyncIterable<Req>, context: CallContext) => Promise<Res>,
  ): handleClientStreamingCall<Req, Res> {
    return (call, callback) => {
      void this.serve(
        call,
        async (context) => callback(null, await handler(received(call), context)),
        (error) => callback(error),
      );
    };
  }

  bidi<Req, Res>(
    handler: (requests: AsyncIterable<Req>, send: Send<Res>, context: CallContext) => Promise<void>,
  ): handleBidiStreamingCall<Req, Res> {
    return (call) => {
      void this.serve(
        call,
        async (context) => {
          await handler(received(call), sender(call, context), context);
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
    const gone = new AbortController();
    // Each message that is being sent listens.
    setMaxListeners(0, gone.signal);
    const report = (error: unknown): StoreError => reportError(error, this.log);
    call.on('cancelled', () => gone.abort(canceled()));
    const overdue = afterDeadline(call, () => gone.abort(canceled()));
    const record = this.requests.start({
      protocol: 'grpc',
      method: call.getPath(),
      path: '',
      caller: call.getPeer(),
    });
    await this.requests.run(async () => {
      try {
        await work({
          signal: gone.signal,
          record,
          report,
          get connection() {
            return connectionOf(call);
          },
        });
        record.status = 'OK';
      } catch (error) {
        const { code, message } = report(error);
        const { grpc } = wireStatus[code];
        record.status = status[grpc] ?? grpc;
        fail({ code: grpc, details: message, metadata: new Metadata() });
      }
    });
    clearTimeout(overdue);
    this.requests.end(record);
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

/**
 * The messages of a client's stream. Throws `canceled` where the client is gone: grpc-js ends the stream like a whole one when
 * a client resets it, and only says so beside.
 */
async function* received<Req>(call: ServerReadableStream<Req, unknown>): AsyncGenerator<Req, void, undefined> {
  try {
    for await (const message of call.iterator({ destroyOnReturn: false })) yield message as Req;
  } catch (error) {
    throw canceled(error);
  }
  if (call.cancelled) throw canceled();
}

function sender<Res>(call: Sink<Res>, { signal }: CallContext): Send<Res> {
  return (message) =>
    new Promise<void>((resolve, reject) => {
      const abort = (): void => reject(canceled());
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      call.write(message, (error) => {
        signal.removeEventListener('abort', abort);
        if (error) reject(canceled(error));
        else resolve();
      });
    });
}
