import type { IncomingHttpHeaders } from 'node:http';
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { Transfer } from '../../pace.js';
import { lingerMs, type AnswerHeaders, type HttpStream, type Written } from '../stream.js';
import { bodyOf } from './body.js';

/** One request over HTTP/2, and its answer. */
export class Http2Stream implements HttpStream {
  /** Its bytes count against a window, which only the client opens. */
  readonly freelyTakenBytes = 0;

  constructor(
    private readonly request: Http2ServerRequest,
    private readonly response: Http2ServerResponse,
  ) {}

  get method(): string {
    return this.request.method;
  }

  get target(): string {
    return this.request.url;
  }

  get headers(): IncomingHttpHeaders {
    return this.request.headers;
  }

  get isComplete(): boolean {
    return this.request.complete;
  }

  get isAnswered(): boolean {
    return this.response.headersSent;
  }

  body(incoming: Transfer, received: (bytes: number) => void): AsyncIterable<Uint8Array> {
    return bodyOf(this.request, this.response, incoming, received);
  }

  dropBody(): void {
    const { request } = this;
    // Whoever still waits for more of the body, as an upload to another server may, would keep it, and stop it when letting go.
    request.removeAllListeners('data');
    request.on('data', () => undefined);
    request.resume();
    const timer = setTimeout(() => request.complete || request.destroy(), lingerMs);
    request.once('close', () => clearTimeout(timer));
  }

  begin(status: number, headers: AnswerHeaders): void {
    this.response.writeHead(status, headers);
  }

  write(bytes: Uint8Array, done: Written): void {
    this.response.write(bytes, done);
  }

  end(bytes: Uint8Array | undefined, done: Written): void {
    // Node sends the head with nothing behind it as one frame, and with an empty buffer as two.
    if (bytes === undefined || bytes.length === 0) this.response.end(done);
    else this.response.end(bytes, done);
  }

  breakOff(): void {
    // Without a code, what came of the answer would look like all of it.
    this.request.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    // On a connection that is broken, nothing else would end it.
    this.request.stream.destroy();
  }

  onOver(listener: (isDelivered: boolean) => void): void {
    const { stream } = this.request;
    // An answer is always said to be finished when its stream is closed.
    this.response.on('close', () => listener(!stream.aborted && stream.writableFinished));
  }
}
