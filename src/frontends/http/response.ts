import { ServerResponse } from 'node:http';

/** What Node's answers keep of their head, besides what its types show. Loggers and compressors for Node rely on it, too. */
interface Head {
  /** The head's text; anything but null says that there is one. */
  _header: string | null;
  /** Whether it was given to the socket. */
  _headerSent: boolean;
  /** In milliseconds. */
  readonly _keepAliveTimeout: number;
}

/** What the bytes of objects are, as far as HTTP is concerned. */
export const bytesType = 'application/octet-stream';

/** The part of a head that is the same for all answers within a second, up to the length. */
let common = '';
let commonUntilMs = 0;
let commonIdleMs = 0;

/**
 * An answer over HTTP/1.1. Node's own way to put a head together and to send it costs as much as reading the bytes of a small answer and
 * sending those; for the one kind of answer that most requests get there is a shorter one, with the same bytes on the wire.
 */
export class HttpResponse extends ServerResponse {
  /**
   * Answers 200 with these bytes, as `bytesType`, where nothing is out of the ordinary: the connection stays, it is this answer's
   * turn, and there is room for the head in front of the bytes. False where something is, and nothing was done.
   *
   * @param headroom how many bytes of its memory in front of the body may be written to
   * @param done is called once, when the system has taken the bytes, or won't take them any more: it is told which
   */
  sendBytes(body: Uint8Array, headroom: number, done: (isTaken: boolean) => void): boolean {
    const { socket } = this;
    if (socket === null || !socket.writable || !this.shouldKeepAlive || this.headersSent) return false;
    if (this.req.httpVersionMinor !== 1 || this.req.method !== 'GET') return false;
    const head = this as unknown as Head;
    const text = `${commonHead(head._keepAliveTimeout)}${body.length}\r\n\r\n`;
    if (text.length > headroom) return false;
    const answer = Buffer.from(body.buffer, body.byteOffset - text.length, text.length + body.length);
    answer.write(text, 'latin1');
    // A write that is under way when its socket is destroyed ends without an error.
    socket.write(answer, (error) => done(!error && !socket.destroyed));
    head._header = common;
    head._headerSent = true;
    this.end();
    return true;
  }
}

function commonHead(idleMs: number): string {
  const now = Date.now();
  if (now >= commonUntilMs || now < commonUntilMs - 1000 || idleMs !== commonIdleMs) {
    commonUntilMs = now - (now % 1000) + 1000;
    commonIdleMs = idleMs;
    common =
      `HTTP/1.1 200 OK\r\ncontent-type: ${bytesType}\r\n` +
      `Date: ${new Date(now).toUTCString()}\r\nConnection: keep-alive\r\n` +
      `Keep-Alive: timeout=${Math.floor(idleMs / 1000)}\r\ncontent-length: `;
  }
  return common;
}
