import {
  connect,
  constants,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import { PassThrough, pipeline, Readable } from 'node:stream';
import { HttpStore, type HttpAnswer, type HttpRequest } from './http-store.js';

/** A client of the HTTP 1.1 API over TLS and HTTP/2, as a Store. */
export class Http2Store extends HttpStore {
  private session: ClientHttp2Session | undefined;

  override async close(): Promise<void> {
    this.session?.destroy();
    await super.close();
  }

  protected override async open({ method, path, headers, body, signal }: HttpRequest): Promise<HttpAnswer> {
    this.session ??= this.connect();
    const fields = { ':method': method, ':path': path, ...headers };
    const stream = this.session.request(fields, { endStream: body === undefined, signal });
    const answer = await new Promise<IncomingHttpHeaders & IncomingHttpStatusHeader>((resolve, reject) => {
      // An answer may come before all of the body is sent.
      stream.on('response', resolve);
      if (body !== undefined) {
        const source = Readable.from(body, { objectMode: false });
        source.on('error', (error) => {
          reject(error);
          stream.close(constants.NGHTTP2_CANCEL);
        });
        source.pipe(stream);
      }
      stream.on('error', reject);
      stream.on('close', () => reject(new Error('the stream was closed')));
    });
    // Since Node 24, a stream that has ended can't be iterated any more, though its data is still there.
    const bytes = pipeline(stream, new PassThrough(), () => undefined);
    return Object.assign(bytes, { statusCode: answer[':status'], headers: answer });
  }

  private connect(): ClientHttp2Session {
    const session = connect(`https://127.0.0.1:${this.port}`, { servername: 'localhost', ...this.options.tls });
    // Its streams tell.
    session.on('error', () => undefined);
    return session;
  }
}
