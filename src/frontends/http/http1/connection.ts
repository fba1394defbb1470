import type { Socket } from 'node:net';
import { canceled } from '../../../core/errors.js';
import { answerHead } from './answer-head.js';
import { openInlet, type Inlet, type Receiver } from './direct-socket.js';
import { HeadReader } from './head-reader.js';
import { BadRequest } from './head.js';
import { Http1Stream, type StreamConnection } from './http1-stream.js';
import { Patience, type Timeouts } from './patience.js';

export interface Http1Limits extends Timeouts {
  /** All bytes of a request's head. */
  readonly maxHeaderBytes: number;
}

/** What a client sends ahead of its turn is kept up to here, in bytes; then it has to wait. */
const keptBytes = 64 * 1024;

/** Where bytes go that are looked at at once, of all connections: each read is over before the next one begins. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** A connection over HTTP/1.1: takes the requests out of what comes, and has one after the other answered. */
export class Http1Connection implements Receiver, StreamConnection {
  private readonly inlet: Inlet;
  private readonly heads = new HeadReader();
  private stream: Http1Stream | undefined;
  /** Those whose clients may not have their answers yet. */
  private readonly unsettled = new Set<Http1Stream>();
  /** What came ahead of its turn. */
  private kept: Buffer | undefined;
  /** Whether the client sends no more, whether no further request is taken, and whether what comes is thrown away. */
  private isEnded = false;
  private isClosing = false;
  private isOver = false;
  private readonly patience = new Patience();

  /** @param limits are asked for whenever they count */
  constructor(
    accepted: Socket,
    private readonly limits: () => Http1Limits,
    private readonly onRequest: (stream: Http1Stream) => void,
  ) {
    this.inlet = openInlet(accepted, this);
    const { socket } = this;
    socket.on('error', () => undefined);
    socket.on('drain', () => this.proceed());
    socket.on('end', () => this.clientEnded());
    socket.on('close', () => this.clientGone());
    this.inlet.flow();
  }

  get socket(): Socket {
    return this.inlet.socket;
  }

  get room(): Buffer {
    return this.stream?.request.room ?? scratch;
  }

  get isStaying(): boolean {
    return !this.isClosing && (!this.isEnded || this.kept !== undefined);
  }

  get idleMs(): number {
    return this.limits().idleMs;
  }

  /** Closes when the request that is under way has its answer, and at once where there is none. */
  close(): void {
    this.isClosing = true;
    if (this.isOver || (this.stream === undefined && !this.heads.hasBegun)) this.socket.destroySoon();
  }

  /** Closes where what is waited for took too long. To be called now and then. */
  check(nowMs: number): void {
    const { patience } = this;
    if (patience.waitsFor === 'request' && !this.isClientsTurn) return patience.moved();
    if (!patience.isOver(nowMs, this.limits(), this.socket.writableLength > 0)) return;
    if (patience.waitsFor === 'head') this.refuse(new BadRequest(408, 'the headers took too long'));
    else this.socket.destroy();
  }

  receive(memory: Buffer, start: number, end: number): boolean {
    if (this.patience.waitsFor === 'request') this.patience.moved();
    try {
      for (let at = start; at < end && !this.isOver;) {
        const { stream } = this;
        if (stream === undefined) at = this.receiveHead(memory, at, end);
        else if (!stream.isComplete) at = this.receiveBody(stream, memory, at, end);
        else at = this.keep(memory, at, end);
      }
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      this.refuse(error);
    }
    return this.isFlowing;
  }

  flow(): void {
    if (this.isFlowing) this.inlet.flow();
  }

  sent(): void {
    const { waitsFor } = this.patience;
    if (waitsFor === 'request' || waitsFor === 'end') this.patience.moved();
  }

  answered(stream: Http1Stream): void {
    if (!stream.mayBeFollowed) return this.finish();
    if (!stream.isComplete) {
      this.patience.waitFor('end');
      stream.dropBody();
    }
    this.proceed();
  }

  over(stream: Http1Stream): void {
    this.unsettled.delete(stream);
  }

  /** Whether the client has something to take, or to send that is wanted. */
  private get isClientsTurn(): boolean {
    return this.socket.writableLength > 0 || (this.stream?.isComplete === false && this.isFlowing);
  }

  private get isFlowing(): boolean {
    if (this.stream === undefined || this.isOver) return true;
    if (!this.stream.isComplete) return !this.stream.request.isAhead;
    return this.kept === undefined || this.kept.length < keptBytes;
  }

  /** Returns where the first byte behind it is. */
  private receiveHead(memory: Buffer, start: number, end: number): number {
    const head = this.heads.read(memory, start, end, this.limits().maxHeaderBytes);
    if (head === undefined) {
      if (this.patience.waitsFor === 'next request' && this.heads.hasBegun) this.patience.waitFor('head');
      return end;
    }
    const stream = new Http1Stream(head, this);
    this.stream = stream;
    this.unsettled.add(stream);
    this.patience.waitFor('request');
    const at = this.receiveBody(stream, memory, start + this.heads.taken, end);
    this.onRequest(stream);
    return at;
  }

  private receiveBody(stream: Http1Stream, memory: Buffer, start: number, end: number): number {
    const at = stream.request.receive(memory, start, end);
    if (stream.isComplete) this.proceed();
    return at;
  }

  private keep(memory: Buffer, start: number, end: number): number {
    const bytes = memory.subarray(start, end);
    this.kept = this.kept === undefined ? Buffer.from(bytes) : Buffer.concat([this.kept, bytes]);
    return end;
  }

  /** Goes on with the next request, where this one has come and has its answer, and the client has taken most of that. */
  private proceed(): void {
    const { stream } = this;
    if (stream === undefined || !stream.isEnded || !stream.isComplete || this.socket.writableNeedDrain) return;
    if (!stream.mayBeFollowed || !this.isStaying) return this.finish();
    this.stream = undefined;
    this.patience.waitFor('next request');
    const { kept } = this;
    this.kept = undefined;
    if (kept !== undefined) this.receive(kept, 0, kept.length);
    this.flow();
  }

  /** Closes when the client has its answer, and has seen that there will be no other one. */
  private finish(): void {
    // With bytes of the client unread, closing at once would reset the connection, and destroy the answer on its way.
    if (this.isClosing && this.stream?.isComplete && this.kept === undefined) return this.socket.destroySoon();
    this.isOver = true;
    this.patience.waitFor('end');
    this.kept = undefined;
    this.socket.end();
    this.flow();
  }

  private refuse({ status, message }: BadRequest): void {
    const text = `${message}\n`;
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'content-length': text.length };
    this.socket.write(answerHead(status, headers, { keepAlive: false, idleMs: 0, chunked: false }) + text, 'latin1');
    this.finish();
  }

  /** The client sends no more. It hardly ever waits for something then, but has given up: only what is on its way goes on. */
  private clientEnded(): void {
    this.isEnded = true;
    const { stream } = this;
    if (stream === undefined) {
      this.socket.end();
    } else if (stream.isComplete) {
      if (!stream.isAnswered) this.socket.destroy();
    } else {
      if (!stream.isAnswered) this.refuse(new BadRequest(400, 'the connection ended within the body'));
      stream.request.fail(canceled());
    }
  }

  private clientGone(): void {
    this.stream?.request.fail(canceled());
    for (const stream of this.unsettled) stream.settle(false);
  }
}
