import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { canceled } from '../../core/errors.js';
import { wireStatus } from '../../core/status.js';
import type { ObjectRead, OpContext } from '../../core/store.js';
import { watched } from '../../core/watched.js';
import type { Pace, Transfer } from '../pace.js';
import type { RequestRecord, Requests } from '../requests.js';
import { sendRead } from '../send-read.js';
import { settled } from '../settled.js';
import { piecesOf } from './body.js';
import { bytesType, HttpResponse } from './response.js';

/** List answers up to this size are sent whole, with a Content-Length. */
const gatherBytes = 64 * 1024;

/** How long a client may go on with a request that was answered before it was complete. */
const lingerMs = 5000;

/** What fits into the buffers of a connection's two ends by Linux's defaults, so that it is taken whether the client reads or not. */
const freelyTakenBytes = 64 * 1024;

const nothing = new Uint8Array();

/** How an API puts a failure: what is sent for its status and message. */
export type FailureFormat = (
  status: number,
  message: string,
) => { readonly status: number; readonly contentType: string; readonly text: string };

const asPlainText: FailureFormat = (status, message) => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  text: `${message}\n`,
});

/** One HTTP request and its answer, as streams of bytes with backpressure. Over HTTP/2, Node gives both the same shape. */
export class Exchange implements OpContext {
  /** How failures of this request are put. */
  failureFormat: FailureFormat = asPlainText;

  /** Made when it is asked for: most requests never do, and it is dear. */
  private gone: AbortController | undefined;
  private lost = false;
  /** Whether the system has taken the last byte of the answer. */
  private finished = false;
  private outgoing: Transfer | undefined;
  /** Ends the write that is under way when the client is lost. */
  private loseWrite: (() => void) | undefined;

  /** @param requests is told, once, when the client has its answer or is gone, with the record filled in */
  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly record: RequestRecord,
    private readonly pace: Pace,
    private readonly requests: Requests,
  ) {
    const stream = 'stream' in request ? (request as unknown as Http2ServerRequest).stream : undefined;
    // An HTTP/2 answer is always said to be finished when its stream is closed.
    response.on('close', () => this.closed(stream ? !stream.aborted && stream.writableFinished : this.finished));
  }

  private closed(delivered: boolean): void {
    const { record } = this;
    this.lost = !delivered;
    record.status = delivered ? this.response.statusCode : wireStatus.canceled.http;
    if (!delivered) {
      this.gone?.abort(canceled());
      this.loseWrite?.();
    }
    this.requests.end(record);
  }

  /** Aborts when the client is gone before it had its answer. */
  get signal(): AbortSignal {
    this.gone ??= new AbortController();
    if (this.lost) this.gone.abort(canceled());
    return this.gone.signal;
  }

  /**
   * The request's body. Throws `canceled` where it is cut off, `too_slow` where it trickles, and leaves the connection alone when
   * it isn't read to its end.
   */
  body(): AsyncIterable<Uint8Array> {
    const { request, response, record } = this;
    return watched(
      piecesOf(request, this.pace.start(), (bytes) => (record.received += bytes)),
      {
        start: () => {
          // Only now does a client that asked first (`Expect: 100-continue`) have to send it.
          if (request.headers.expect !== undefined) response.writeContinue();
        },
        end: () => {
          // Over HTTP/2 Node ends the body like a whole one when the client resets the stream, and says so just behind.
          if (request.httpVersionMajor === 2) return settled(() => this.lost);
        },
      },
    );
  }

  /**
   * Answers 200 with the bytes of a read, and releases it. What fails before the first byte is thrown, and can be answered. A small
   * answer is sent at once, and there is nothing to wait for.
   */
  sendRead(read: ObjectRead, contentType = bytesType): Promise<void> | undefined {
    if (contentType === bytesType && this.sendAtOnce(read)) return undefined;
    return sendRead(read, (data) => {
      const headers = ['content-type', contentType, 'content-length', String(read.length)];
      if (!(data instanceof Uint8Array)) return this.sendChunks(headers, data);
      this.response.writeHead(200, headers);
      return this.finish(data);
    });
  }

  /** Answers 200 with text: at once and with its length where it is short, as a stream otherwise. */
  async sendText(contentType: string, fragments: AsyncIterable<Uint8Array>): Promise<void> {
    const headers = { 'content-type': contentType };
    // One for the whole answer: joining small fragments into new buffers costs more than sending them.
    const gathered = Buffer.allocUnsafeSlow(gatherBytes);
    let length = 0;
    for await (const fragment of fragments) {
      // Its first fragment shows that there is an answer; its length would take all of them.
      if (this.request.method === 'HEAD') return this.send(200, headers);
      if (length + fragment.length > gatherBytes) {
        if (!this.response.headersSent) this.response.writeHead(200, headers);
        if (length > 0) await this.write(gathered.subarray(0, length));
        length = 0;
      }
      if (fragment.length > gatherBytes) {
        await this.write(fragment);
      } else {
        gathered.set(fragment, length);
        length += fragment.length;
      }
    }
    const rest = gathered.subarray(0, length);
    if (this.response.headersSent) await this.finish(rest);
    else await this.send(200, headers, rest);
  }

  /** Answers with no more than a buffer. */
  send(status: number, headers: OutgoingHttpHeaders, body?: Uint8Array): Promise<void> {
    this.response.writeHead(status, body === undefined ? headers : { ...headers, 'content-length': body.length });
    return this.finish(body);
  }

  /**
   * Answers an error with its text. A client that is still sending its request reads the answer first, if it is a good one,
   * and what it sends meanwhile is thrown away; one that goes on and on is cut off.
   */
  async sendFailure(status: number, message: string, headers: OutgoingHttpHeaders = {}): Promise<void> {
    // Closing at once, with bytes of the request unread, would reset the connection and destroy the answer on its way.
    if (!this.request.complete) {
      // Whoever still waits for more of the body, as an upload to another server may, would keep it, and stop it when letting go.
      this.request.removeAllListeners('data');
      this.request.on('data', () => undefined);
      this.request.resume();
      const timer = setTimeout(() => this.request.complete || this.request.destroy(), lingerMs);
      this.request.once('close', () => clearTimeout(timer));
    }
    const failure = this.failureFormat(status, message);
    const text = Buffer.from(failure.text);
    await this.send(failure.status, { 'content-type': failure.contentType, ...headers }, text);
  }

  /** Ends an answer that can't be completed, so that the client can't take it for a whole one. */
  breakOff(): void {
    this.response.destroy();
  }

  /** Whether the answer's status is on its way, so that it is too late for another one. */
  get committed(): boolean {
    return this.response.headersSent;
  }

  private sendAtOnce(read: ObjectRead): boolean {
    const { response, record } = this;
    const { data, length } = read;
    if (!(data instanceof Uint8Array) || length > freelyTakenBytes || !(response instanceof HttpResponse)) return false;
    const isSent = response.sendBytes(data, read.headroom ?? 0, (isTaken) => {
      this.finished = isTaken;
      read.release(isTaken);
    });
    if (isSent) record.sent += length;
    return isSent;
  }

  private async sendChunks(headers: string[], chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) {
      if (!this.response.headersSent) this.response.writeHead(200, headers);
      await this.write(chunk);
    }
    await this.finish();
  }

  /** Resolves when the socket has taken the bytes: only then may the chunk's buffer be used again. */
  private write(chunk: Uint8Array): Promise<void> {
    this.record.sent += chunk.length;
    return this.paced(
      this.untilGone((done) => this.response.write(chunk, done)),
      chunk.length,
    );
  }

  private finish(last: Uint8Array = nothing): Promise<void> {
    if (this.request.method !== 'HEAD') this.record.sent += last.length;
    const written = this.untilGone((done) => {
      const taken = (): void => {
        this.finished = true;
        done();
      };
      // Node sends the head with nothing behind it as one piece, and with an empty buffer as two.
      if (last.length === 0) this.response.end(taken);
      else this.response.end(last, taken);
    });
    // The system takes that much, whether the client reads or not.
    if (last.length <= freelyTakenBytes && this.request.httpVersionMajor === 1) return written;
    return this.paced(written, last.length);
  }

  private paced(written: Promise<void>, bytes: number): Promise<void> {
    this.outgoing ??= this.pace.start();
    return this.outgoing.wait(written, bytes);
  }

  /** Runs a write; ends with `canceled` when the client is gone, whatever becomes of the write's own callback. */
  private untilGone(write: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      if (this.lost) return reject(canceled());
      this.loseWrite = () => reject(canceled());
      write((error) => {
        this.loseWrite = undefined;
        if (error) reject(canceled(error));
        else resolve();
      });
    });
  }
}
