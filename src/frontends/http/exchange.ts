import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { canceled } from '../../core/errors.js';
import type { RequestRecord } from '../../core/request.js';
import { wireStatus } from '../../core/status.js';
import type { ObjectRead, OpContext } from '../../core/store.js';
import { respond } from '../http2-sessions.js';
import type { Pace, Transfer } from '../pace.js';
import { sendChunks } from '../send-chunks.js';
import { breakOff, discardBody, isDelivered, isHttp2, requestBody, type RawRequest } from './raw.js';

/** What the bytes of objects are to HTTP. */
export const bytesType = 'application/octet-stream';

/** plakar's ranges aren't HTTP's. Without this field Apache cuts a range out by itself, as 206 or 416, and plakar's client fails. */
export const noRanges = { 'accept-ranges': 'none' } as const;

/** Fragments of lists are gathered into chunks of this size; lists up to it are sent with a Content-Length. */
const gatherBytes = 64 * 1024;

const nothing = new Uint8Array();

/**
 * The bytes of one HTTP request and its response. Bodies of objects and lists go past `reply.send`, here and nowhere else: their buffers
 * belong to the store and are reused, so each write waits until the system has taken the one before, and slow clients are given up.
 * Everything else is sent with fastify's reply.
 */
export class Exchange implements OpContext {
  private readonly raw: RawRequest;
  private readonly response: ServerResponse;
  /** Created on demand: most operations never listen. */
  private abort: AbortController | undefined;
  private isGone = false;
  private outgoing: Transfer | undefined;
  private rejectWrite: ((error: Error) => void) | undefined;
  private awaitsContinue: boolean;
  private readonly closesUnlessContinued: boolean;

  /** @param onOver is called once, when the client has its response or is gone; `record` is complete then */
  constructor(
    request: FastifyRequest,
    private readonly reply: FastifyReply,
    readonly record: RequestRecord,
    private readonly pace: Pace,
    private readonly onOver: () => void,
  ) {
    this.raw = request.raw;
    this.response = reply.raw;
    this.awaitsContinue = request.headers.expect !== undefined && this.raw.httpVersion !== '1.0';
    // A client that is refused without having been told to continue may send its body or not, so what follows is ambiguous.
    this.closesUnlessContinued = this.awaitsContinue && !isHttp2(this.raw) && !this.response.hasHeader('connection');
    if (this.closesUnlessContinued) this.response.setHeader('connection', 'close');
    this.response.once('close', () => this.closed());
  }

  /** Aborts when the client is gone before it had its response. */
  get signal(): AbortSignal {
    this.abort ??= new AbortController();
    if (this.isGone) this.abort.abort(canceled());
    return this.abort.signal;
  }

  /** Whether it is too late for another response. */
  get isAnswered(): boolean {
    return this.isGone || this.response.headersSent;
  }

  /** The request's body. A client that waits with it (`Expect: 100-continue`) is told to continue when it is first read. */
  async *body(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.awaitsContinue) {
      if (this.closesUnlessContinued) this.response.removeHeader('connection');
      this.response.writeContinue();
    }
    this.awaitsContinue = false;
    yield* requestBody(this.raw, this.pace.start(), (bytes) => (this.record.received += bytes));
  }

  /**
   * Drops what is left of the body of a request that is refused, so that its client gets to read the answer. Resolves when the answer can
   * be sent: at once where the connection stays open. A client that still sends a while after it has the answer is cut off.
   */
  async discardBody(): Promise<void> {
    const { raw, response } = this;
    if (raw.complete || this.awaitsContinue) return;
    const discarded = discardBody(raw).then(() => {
      if (!raw.complete && isDelivered(raw, response)) breakOff(raw);
    });
    if (!this.isPersistent) await discarded;
  }

  /** Answers 200 with the bytes of a read, and releases it. What fails before the first byte is thrown, and can still be answered. */
  async sendRead(read: ObjectRead, contentType = bytesType): Promise<void> {
    const headers = { 'content-type': contentType, 'content-length': read.length, ...noRanges };
    let remaining = read.length;
    let isBegun = false;
    await sendChunks(read, (chunk) => {
      if (!isBegun) this.begin(headers);
      isBegun = true;
      remaining -= chunk.length;
      return remaining > 0 ? this.write(chunk) : this.end(chunk);
    });
    if (!isBegun) await this.sendBytes(headers, nothing);
  }

  /** Answers 200 with fragments of text: with a Content-Length where they are short, as a stream otherwise. */
  async sendText(contentType: string, fragments: AsyncIterable<Uint8Array>): Promise<void> {
    const headers = { 'content-type': contentType };
    const chunks = gathered(fragments);
    try {
      const first = await chunks.next();
      // The first one shows that there is a list; its length would take all of them.
      if (this.raw.method === 'HEAD') return await this.sendBytes(headers, nothing);
      const second = await chunks.next();
      if (first.done === true || second.done === true) {
        const bytes = first.done === true ? nothing : first.value;
        return await this.sendBytes({ ...headers, 'content-length': bytes.length }, bytes);
      }
      this.begin(headers);
      await this.write(first.value);
      await this.write(second.value);
      for await (const chunk of chunks) await this.write(chunk);
      await this.end(nothing);
    } finally {
      await chunks.return();
    }
  }

  /**
   * Sends fastify's reply. Fails if the client is gone: the end of a reply on an HTTP/2 stream that is closed already is never reported, so
   * its handler would never end.
   */
  send(payload?: string): FastifyReply {
    if (this.isGone) throw canceled();
    return this.reply.send(payload);
  }

  /** Ends a response that can't be completed, so that the client can't take it for a whole one. */
  breakOff(): void {
    breakOff(this.raw);
  }

  /** Whether the connection will serve another request. */
  private get isPersistent(): boolean {
    return isHttp2(this.raw) || (this.response.shouldKeepAlive && this.response.getHeader('connection') !== 'close');
  }

  private async sendBytes(headers: OutgoingHttpHeaders, bytes: Uint8Array): Promise<void> {
    this.begin(headers);
    await this.end(bytes);
  }

  private begin(headers: OutgoingHttpHeaders): void {
    if (this.isGone) throw canceled();
    this.reply.hijack();
    if (isHttp2(this.raw)) respond(this.raw.stream, headers);
    else this.response.writeHead(200, headers);
  }

  /** Resolves when the system has taken the bytes. */
  private write(chunk: Uint8Array): Promise<void> {
    this.record.sent += chunk.length;
    return this.paced(chunk.length, (done) => this.response.write(chunk, done));
  }

  /** Resolves when the system has taken all of the response: for small ones mostly at once. */
  private end(bytes: Uint8Array): Promise<void> | undefined {
    const { raw, response, record } = this;
    if (bytes.length === 0 || raw.method === 'HEAD') {
      response.end();
    } else {
      record.sent += bytes.length;
      response.end(bytes);
    }
    if (!isHttp2(raw) && raw.socket.writableLength === 0) return undefined;
    return this.paced(bytes.length, (done) => response.once('finish', done));
  }

  /** Waits for a write within the pace; fails with `canceled` when the client is gone, whatever becomes of the write's callback. */
  private paced(bytes: number, write: (done: (error?: Error | null) => void) => void): Promise<void> {
    this.outgoing ??= this.pace.start();
    const written = new Promise<void>((resolve, reject) => {
      if (this.isGone) return reject(canceled());
      this.rejectWrite = reject;
      write((error) => (error ? reject(canceled(error)) : resolve()));
    });
    return this.outgoing.wait(written, bytes);
  }

  private closed(): void {
    const { raw, response, record } = this;
    if (isDelivered(raw, response)) {
      record.status = response.statusCode;
      if (!raw.complete) void this.discardBody();
    } else {
      record.status = wireStatus.canceled.http;
      this.isGone = true;
      this.abort?.abort(canceled());
      this.rejectWrite?.(canceled());
    }
    this.onOver();
  }
}

/** Small fragments joined: writing each on its own costs more than copying it. */
async function* gathered(fragments: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let small: Uint8Array[] = [];
  let bytes = 0;
  for await (const fragment of fragments) {
    if (bytes > 0 && bytes + fragment.length > gatherBytes) {
      yield join(small);
      small = [];
      bytes = 0;
    }
    small.push(fragment);
    bytes += fragment.length;
  }
  if (bytes > 0) yield join(small);
}

function join(fragments: readonly Uint8Array[]): Uint8Array {
  const [only] = fragments;
  return only !== undefined && fragments.length === 1 ? only : Buffer.concat(fragments);
}
