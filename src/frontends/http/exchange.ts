import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { canceled } from '../../core/errors.js';
import { wireStatus } from '../../core/status.js';
import type { ObjectRead, OpContext } from '../../core/store.js';
import type { RequestRecord } from '../requests.js';

/** List answers up to this size are sent whole, with a Content-Length. */
const gatherBytes = 64 * 1024;

/** How long a client may go on with a request that was answered before it was complete. */
const lingerMs = 5000;

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

/**
 * One HTTP request and its answer, as streams of bytes with backpressure. Used where fastify's own reply would add a stream
 * between the store and the socket.
 */
export class Exchange implements OpContext {
  /** How failures of this request are put. */
  failureFormat: FailureFormat = asPlainText;

  /** Made when it is asked for: most requests never do, and it is dear. */
  private gone: AbortController | undefined;
  private lost = false;
  /** Ends the write that is under way when the client is lost. */
  private loseWrite: (() => void) | undefined;

  /** @param ended is called once, when the client has its answer or is gone; with the record filled in */
  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly record: RequestRecord,
    ended: () => void,
  ) {
    // Not `writableFinished`: that is true as well when the socket is gone with the last bytes still in it.
    let finished = false;
    response.once('finish', () => (finished = true));
    response.once('close', () => {
      this.lost = !finished;
      record.status = this.lost ? wireStatus.canceled.http : response.statusCode;
      if (this.lost) this.gone?.abort(canceled());
      if (this.lost) this.loseWrite?.();
      ended();
    });
  }

  /** Aborts when the client is gone before it had its answer. */
  get signal(): AbortSignal {
    this.gone ??= new AbortController();
    if (this.lost) this.gone.abort(canceled());
    return this.gone.signal;
  }

  /** The request's body. Throws `canceled` where it is cut off, and leaves the connection alone when it isn't read to its end. */
  async *body(): AsyncGenerator<Uint8Array, void, undefined> {
    // Only now does a client that asked first (`Expect: 100-continue`) have to send it.
    if (this.request.headers.expect !== undefined) this.response.writeContinue();
    try {
      for await (const chunk of this.request.iterator({ destroyOnReturn: false })) {
        this.record.received += (chunk as Buffer).length;
        yield chunk as Buffer;
      }
    } catch (error) {
      throw canceled(error);
    }
    if (!this.request.complete) throw canceled();
  }

  /** Answers 200 with the bytes of a read, and releases it. What fails before the first byte is thrown, and can be answered. */
  async sendRead(read: ObjectRead, contentType = 'application/octet-stream'): Promise<void> {
    try {
      const headers = { 'content-type': contentType };
      if (read.data instanceof Uint8Array) {
        await this.send(200, headers, read.data);
      } else {
        await this.sendChunks({ ...headers, 'content-length': read.length }, read.data);
      }
    } finally {
      read.release();
    }
  }

  /** Answers 200 with text: at once and with its length where it is short, as a stream otherwise. */
  async sendText(contentType: string, fragments: AsyncIterable<string>): Promise<void> {
    const headers = { 'content-type': contentType };
    let text = '';
    for await (const fragment of fragments) {
      // Its first fragment shows that there is an answer; its length would take all of them.
      if (this.request.method === 'HEAD') return this.send(200, headers);
      text += fragment;
      if (text.length < gatherBytes) continue;
      if (!this.response.headersSent) this.response.writeHead(200, headers);
      await this.write(Buffer.from(text));
      text = '';
    }
    if (this.response.headersSent) await this.finish(Buffer.from(text));
    else await this.send(200, headers, Buffer.from(text));
  }

  /** Answers with no more than a buffer. */
  async send(status: number, headers: OutgoingHttpHeaders, body?: Uint8Array): Promise<void> {
    this.response.writeHead(status, body === undefined ? headers : { ...headers, 'content-length': body.length });
    await this.finish(body);
  }

  /**
   * Answers an error with its text. A client that is still sending its request reads the answer first, if it is a good one,
   * and what it sends meanwhile is thrown away; one that goes on and on is cut off.
   */
  async sendFailure(status: number, message: string, headers: OutgoingHttpHeaders = {}): Promise<void> {
    // Closing at once, with bytes of the request unread, would reset the connection and destroy the answer on its way.
    if (!this.request.complete) {
      // Whoever still waits for more of the body, as an upload to another server may, would keep it, and stop it when letting go.
      this.request.removeAllListeners('readable');
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

  private async sendChunks(headers: OutgoingHttpHeaders, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) {
      if (!this.response.headersSent) this.response.writeHead(200, headers);
      await this.write(chunk);
    }
    await this.finish();
  }

  /** Resolves when the socket has taken the bytes: only then may the chunk's buffer be used again. */
  private write(chunk: Uint8Array): Promise<void> {
    this.record.sent += chunk.length;
    return this.untilGone((done) => this.response.write(chunk, done));
  }

  private finish(last: Uint8Array = nothing): Promise<void> {
    if (this.request.method !== 'HEAD') this.record.sent += last.length;
    return this.untilGone((done) => this.response.end(last, () => done()));
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
