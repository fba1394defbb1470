import type { IncomingHttpHeaders } from 'node:http';
import type { Transfer } from '../pace.js';

/** What the bytes of objects are, as far as HTTP is concerned. */
export const bytesType = 'application/octet-stream';

/** The headers of an answer. None of them comes from a client. */
export type AnswerHeaders = Readonly<Record<string, string | number>>;

/** Is called once when the system has taken what was written, or won't any more: with an error then. */
export type Written = (error?: Error | null) => void;

/** One request and the way back for its answer, the same over HTTP/1.1 and HTTP/2. */
export interface HttpStream {
  readonly method: string;
  /** The request's target, as it was sent. */
  readonly target: string;
  /** By lower-case name. */
  readonly headers: IncomingHttpHeaders;
  /** Whether all of the request has come. */
  readonly isComplete: boolean;
  /** Whether an answer is on its way, so that it is too late for another one. */
  readonly isAnswered: boolean;
  /** How many bytes of an answer the system takes, whether the client reads or not. */
  readonly freelyTakenBytes: number;

  /**
   * The request's body; from now on, a client that asked first (`Expect: 100-continue`) has to send it. Fails with `canceled` where it
   * is cut off, `too_slow` where it trickles. Whoever stops early leaves the connection alone.
   *
   * @param received is told how many bytes of it have come, as they do
   */
  body(incoming: Transfer, received: (bytes: number) => void): AsyncIterable<Uint8Array>;

  /** Throws away what will still come of the request, so that the client gets to read its answer; one that goes on and on is cut off. */
  dropBody(): void;

  /** Begins the answer. Where there is no `content-length`, its end is told in another way. */
  begin(status: number, headers: AnswerHeaders): void;
  write(bytes: Uint8Array, done: Written): void;
  /** Ends the answer; nothing more than that where the request was HEAD. */
  end(bytes: Uint8Array | undefined, done: Written): void;

  /** Breaks the answer off, so that the client can't take it for a whole one. */
  breakOff(): void;

  /** @param listener is called once: when the client has its answer, or is gone without */
  onOver(listener: (isDelivered: boolean) => void): void;
}

/** How long a client may go on with a request that was answered before it was complete. */
export const lingerMs = 5000;
