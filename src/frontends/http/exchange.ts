import { canceled } from '../../core/errors.js';
import { wireStatus } from '../../core/status.js';
import type { ObjectRead, OpContext } from '../../core/store.js';
import type { Pace, Transfer } from '../pace.js';
import type { RequestRecord } from '../../core/request.js';
import type { Requests } from '../requests.js';
import { sendRead } from '../send-read.js';
import { bytesType, type AnswerHeaders, type HttpStream, type Written } from './stream.js';

/** List answers up to this size are sent whole, with a Content-Length. */
const gatherBytes = 64 * 1024;

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

/** One HTTP request and its answer, as handlers see them. */
export class Exchange implements OpContext {
  /** How failures of this request are put. */
  failureFormat: FailureFormat = asPlainText;

  /** Made when it is asked for: most requests never do, and it is dear. */
  private gone: AbortController | undefined;
  private isLost = false;
  private outgoing: Transfer | undefined;
  /** Ends the write that is under way when the client is lost. */
  private loseWrite: (() => void) | undefined;

  /** @param requests is told, once, when the client has its answer or is gone, with the record filled in */
  constructor(
    private readonly stream: HttpStream,
    private readonly record: RequestRecord,
    private readonly pace: Pace,
    private readonly requests: Requests,
  ) {
    stream.onOver((isDelivered) => this.over(isDelivered));
  }

  private over(isDelivered: boolean): void {
    if (!isDelivered) {
      this.isLost = true;
      this.record.status = wireStatus.canceled.http;
      this.gone?.abort(canceled());
      this.loseWrite?.();
    }
    this.requests.end(this.record);
  }

  /** Aborts when the client is gone before it had its answer. */
  get signal(): AbortSignal {
    this.gone ??= new AbortController();
    if (this.isLost) this.gone.abort(canceled());
    return this.gone.signal;
  }

  /** The request's body, as `HttpStream.body` has it. */
  body(): AsyncIterable<Uint8Array> {
    return this.stream.body(this.pace.start(), (bytes) => (this.record.received += bytes));
  }

  /**
   * Answers 200 with the bytes of a read, and releases it. What fails before the first byte is thrown, and can be answered.
   */
  sendRead(read: ObjectRead, contentType = bytesType): Promise<void> {
    return sendRead(read, (data) => {
      const headers = { 'content-type': contentType, 'content-length': read.length };
      if (!(data instanceof Uint8Array)) return this.sendChunks(headers, data);
      this.begin(200, headers);
      return this.finish(data);
    });
  }

  /** Answers 200 with text: at once and with its length where it is short, as a stream otherwise. */
  async sendText(contentType: string, fragments: AsyncIterable<Uint8Array>): Promise<void> {
    const headers = { 'content-type': contentType };
    // One for the whole answer: joining small fragments into new buffers costs more than sending them.
    const gathered = Buffer.allocUnsafeSlow(gatherBytes);
    let length = 0;
    let isBegun = false;
    for await (const fragment of fragments) {
      // Its first fragment shows that there is an answer; its length would take all of them.
      if (this.stream.method === 'HEAD') return this.send(200, headers);
      if (length + fragment.length > gatherBytes) {
        if (!isBegun) this.begin(200, headers);
        isBegun = true;
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
    if (isBegun) await this.finish(rest);
    else await this.send(200, headers, rest);
  }

  /** Answers with no more than a buffer. */
  send(status: number, headers: AnswerHeaders, body?: Uint8Array): Promise<void> {
    this.begin(status, body === undefined ? headers : { ...headers, 'content-length': body.length });
    return this.finish(body);
  }

  /** Answers an error with its text. A client that is still sending its request gets to read it, if it is a good one. */
  async sendFailure(status: number, message: string, headers: AnswerHeaders = {}): Promise<void> {
    if (!this.stream.isComplete) this.stream.dropBody();
    const failure = this.failureFormat(status, message);
    const text = Buffer.from(failure.text);
    await this.send(failure.status, { 'content-type': failure.contentType, ...headers }, text);
  }

  /** Ends an answer that can't be completed, so that the client can't take it for a whole one. */
  breakOff(): void {
    this.stream.breakOff();
  }

  /** Whether the answer's status is on its way, so that it is too late for another one. */
  get committed(): boolean {
    return this.stream.isAnswered;
  }

  private begin(status: number, headers: AnswerHeaders): void {
    this.record.status = status;
    this.stream.begin(status, headers);
  }

  private async sendChunks(headers: AnswerHeaders, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let isBegun = false;
    for await (const chunk of chunks) {
      // What fails before there is a first one can still be answered.
      if (!isBegun) this.begin(200, headers);
      isBegun = true;
      await this.write(chunk);
    }
    if (!isBegun) this.begin(200, headers);
    await this.finish();
  }

  /** Resolves when the socket has taken the bytes: only then may the chunk's buffer be used again. */
  private write(chunk: Uint8Array): Promise<void> {
    this.record.sent += chunk.length;
    return this.paced(
      this.untilGone((done) => this.stream.write(chunk, done)),
      chunk.length,
    );
  }

  private finish(last: Uint8Array = nothing): Promise<void> {
    if (this.stream.method !== 'HEAD') this.record.sent += last.length;
    const written = this.untilGone((done) => this.stream.end(last, done));
    return last.length <= this.stream.freelyTakenBytes ? written : this.paced(written, last.length);
  }

  private paced(written: Promise<void>, bytes: number): Promise<void> {
    this.outgoing ??= this.pace.start();
    return this.outgoing.wait(written, bytes);
  }

  /** Runs a write; ends with `canceled` when the client is gone, whatever becomes of the write's own callback. */
  private untilGone(write: (done: Written) => void): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      if (this.isLost) return reject(canceled());
      this.loseWrite = () => reject(canceled());
      write((error) => {
        this.loseWrite = undefined;
        if (error) reject(canceled(error));
        else resolve();
      });
    });
  }
}
