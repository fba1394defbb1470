import { connect, type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import type { ConnectionOptions } from 'node:tls';

export interface Http2Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** An HTTP/2 connection of Node's client, over TLS. */
export class Http2Client {
  private constructor(readonly session: ClientHttp2Session) {}

  /** @param options by default every certificate is accepted */
  static async connect(port: number, options: ConnectionOptions = { rejectUnauthorized: false }): Promise<Http2Client> {
    // With the default limit, the client itself rejects requests while large bodies are being sent.
    const own = { host: '127.0.0.1', servername: 'localhost', maxSessionMemory: 1024 };
    const session = connect(`https://localhost:${port}`, { ...options, ...own });
    await new Promise((resolve, reject) => session.once('connect', resolve).once('error', reject));
    session.on('error', () => undefined);
    return new Http2Client(session);
  }

  /** Sends a request. Resolves to its answer; fails if the stream ends before the answer is complete. */
  async ask(method: string, path: string, headers: OutgoingHttpHeaders = {}, body?: Uint8Array): Promise<Http2Answer> {
    const stream = this.open(method, path, headers, body !== undefined);
    if (body !== undefined) stream.end(body);
    return answerOf(stream);
  }

  /** Starts a request. Errors of the stream are reported by `answerOf`. */
  open(method: string, path: string, headers: OutgoingHttpHeaders = {}, hasBody = true): ClientHttp2Stream {
    const stream = this.session.request({ ':method': method, ':path': path, ...headers }, { endStream: !hasBody });
    stream.on('error', () => undefined);
    return stream;
  }

  close(): void {
    this.session.destroy();
  }
}

/** The answer to a request that was started. */
export function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let headers: Http2Answer['headers'] | undefined;
    stream.on('response', (all) => (headers = all as Http2Answer['headers']));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      if (headers === undefined) return reject(new Error('the stream ended without an answer'));
      resolve({ status: Number(headers[':status']), headers, body: Buffer.concat(chunks) });
    });
    stream.on('error', reject);
    stream.on('close', () => reject(new Error(`the stream was closed: code ${stream.rstCode}`)));
  });
}
