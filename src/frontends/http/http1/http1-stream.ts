import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { canceled } from '../../../core/errors.js';
import type { Transfer } from '../../pace.js';
import type { AnswerHeaders, HttpStream, Written } from '../stream.js';
import { answerHead } from './answer-head.js';
import { RequestBody } from './body.js';
import type { RequestHead } from './head.js';

/** What fits into the buffers of a connection's two ends by Linux's defaults. In bytes. */
const freelyTakenBytes = 64 * 1024;

/** The connection of a request, as the request sees it. */
export interface StreamConnection {
  readonly socket: Socket;
  /** Whether there may be another request after this one. */
  readonly isStaying: boolean;
  /** How long it may be idle then, in milliseconds. */
  readonly idleMs: number;
  /** More of the request's body may come. */
  flow(): void;
  /** The system has taken bytes of the answer. */
  sent(): void;
  /** The answer was given to the socket, to its end. */
  answered(stream: Http1Stream): void;
  /** The client has the answer, or is gone. */
  over(stream: Http1Stream): void;
}

/** One request of a connection over HTTP/1.1, and its answer. */
export class Http1Stream implements HttpStream {
  readonly freelyTakenBytes = freelyTakenBytes;
  readonly request: RequestBody;
  /** Whether the answer was given to the socket, to its end. */
  isEnded = false;
  private keepAlive: boolean;
  private answerHead: string | undefined;
  private isChunked = false;
  private isBegun = false;
  private asksFirst: boolean;
  private listener: ((isDelivered: boolean) => void) | undefined;

  constructor(
    private readonly head: RequestHead,
    private readonly connection: StreamConnection,
  ) {
    this.request = new RequestBody(head.length, () => connection.flow());
    this.keepAlive = head.keepAlive;
    this.asksFirst = head.asksFirst;
  }

  get method(): string {
    return this.head.method;
  }

  get target(): string {
    return this.head.target;
  }

  get headers(): IncomingHttpHeaders {
    return this.head.headers;
  }

  get isComplete(): boolean {
    return this.request.isComplete;
  }

  get isAnswered(): boolean {
    return this.isBegun;
  }

  /** Whether another request may follow on the connection. */
  get mayBeFollowed(): boolean {
    return this.keepAlive && !this.request.isBroken;
  }

  body(incoming: Transfer, received: (bytes: number) => void): AsyncIterable<Uint8Array> {
    return this.request.read(incoming, received, () => this.askOn());
  }

  dropBody(): void {
    this.request.drop();
  }

  begin(status: number, headers: AnswerHeaders): void {
    this.decide();
    const isOpen = headers['content-length'] === undefined && this.method !== 'HEAD';
    this.isChunked = isOpen && this.head.knowsChunks;
    const { keepAlive, isChunked: chunked } = this;
    this.answerHead = answerHead(status, headers, { keepAlive, idleMs: this.connection.idleMs, chunked });
  }

  write(bytes: Uint8Array, done: Written): void {
    if (this.method === 'HEAD') return done();
    this.send(bytes, '', done);
  }

  end(bytes: Uint8Array | undefined, done: Written): void {
    const body = this.method === 'HEAD' ? undefined : bytes;
    this.send(body, this.isChunked ? '0\r\n\r\n' : '', this.last(done));
    this.ended();
  }

  breakOff(): void {
    this.connection.socket.destroy();
  }

  onOver(listener: (isDelivered: boolean) => void): void {
    this.listener = listener;
  }

  /** Says once whether the client has its answer. */
  settle(isDelivered: boolean): void {
    const { listener } = this;
    this.listener = undefined;
    this.connection.over(this);
    listener?.(isDelivered);
  }

  /** Lets a client that asked first go on: the body is wanted. */
  private askOn(): void {
    if (this.asksFirst && !this.isComplete) this.connection.socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    this.asksFirst = false;
  }

  private ended(): void {
    this.isEnded = true;
    this.connection.answered(this);
  }

  /** Decides whether another request may follow. One doesn't where nobody knows whether a body that was asked about comes or not. */
  private decide(): void {
    this.keepAlive = this.mayBeFollowed && this.connection.isStaying && (this.isComplete || !this.asksFirst);
  }

  /** Sends what there is in one go: the head before the first bytes, bytes as a chunk, and what is behind. */
  private send(bytes: Uint8Array | undefined, behind: string, done: Written): void {
    const { socket } = this.connection;
    const parts: (string | Uint8Array)[] = [];
    if (this.answerHead !== undefined) parts.push(this.answerHead);
    this.answerHead = undefined;
    this.isBegun = true;
    if (bytes !== undefined && bytes.length > 0) {
      if (this.isChunked) parts.push(`${bytes.length.toString(16)}\r\n`, bytes, '\r\n');
      else parts.push(bytes);
    }
    if (behind !== '') parts.push(behind);
    const last = parts.pop();
    if (last === undefined) return done();
    // A write that is under way when its socket is destroyed ends without an error.
    const written = (error?: Error | null): void => {
      this.connection.sent();
      done(error ?? (socket.destroyed ? canceled() : null));
    };
    if (parts.length === 0) return void socket.write(last, 'latin1', written);
    socket.cork();
    for (const part of parts) socket.write(part, 'latin1');
    socket.write(last, 'latin1', written);
    socket.uncork();
  }

  private last(done: Written): Written {
    return (error) => {
      done(error);
      this.settle(!error);
    };
  }
}
