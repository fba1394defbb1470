import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import {
  GetObjectRequest,
  ObjectKind as WireKind,
  PutObjectRequest,
  ReadRangesRequest,
  type RangeRead,
} from '../../../gen/kloset/store/v1/store.js';
import type { ObjectRef } from '../../../src/core/object.js';
import { wireRef } from '../../support/grpc-store.js';

export const putPath = '/kloset.store.v1.StoreService/PutObject';
export const getPath = '/kloset.store.v1.StoreService/GetObject';

/** A message as gRPC frames it: not compressed, its length, its bytes. */
export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The framed messages of an upload. */
export const upload = {
  header: (ref: ObjectRef, store = ''): Buffer => part({ $case: 'header', value: { store, ref: wireRef(ref) } }),
  chunk: (bytes: Uint8Array): Buffer => part({ $case: 'chunk', value: bytes }),
  finish: (length: number): Buffer => part({ $case: 'finish', value: { length: BigInt(length) } }),
  chunks: (bytes: Uint8Array, size = 256 * 1024): Buffer => {
    const messages: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) messages.push(upload.chunk(bytes.subarray(at, at + size)));
    return Buffer.concat(messages);
  },
  /** All of one. */
  whole: (ref: ObjectRef, bytes: Uint8Array): Buffer =>
    Buffer.concat([upload.header(ref), upload.chunks(bytes), upload.finish(bytes.length)]),
};

function part(value: PutObjectRequest['part']): Buffer {
  return framed(PutObjectRequest.encode({ part: value }).finish());
}

/** The framed request for an object. */
export function getRequest(ref: ObjectRef): Buffer {
  return framed(GetObjectRequest.encode({ store: '', ref: wireRef(ref), range: undefined }).finish());
}

export const rangesPath = '/kloset.store.v1.StoreService/ReadRanges';

/** The framed message that asks for reads together. */
export function rangesRequest(reads: RangeRead[]): Buffer {
  const nothing = { store: '', tag: 0n, ref: undefined, range: undefined };
  return framed(ReadRangesRequest.encode({ ...nothing, reads }).finish());
}

export { WireKind };

/** What a call came to: its gRPC status and text, or neither where the stream was broken off. */
export interface Outcome {
  readonly code: number | undefined;
  readonly message: string;
  /** All bytes of the answer's messages, with their framing. */
  readonly bytes: Buffer;
}

/** gRPC calls by hand, over node's HTTP/2 client: messages are bytes, so that they can be wrong ones. */
export class RawGrpc {
  private constructor(readonly session: ClientHttp2Session) {
    session.on('error', () => undefined);
  }

  static async connect(port: number): Promise<RawGrpc> {
    const session = connect(`http://127.0.0.1:${port}`);
    await new Promise((resolve, reject) => session.once('connect', resolve).once('error', reject));
    return new RawGrpc(session);
  }

  call(path: string, headers: Readonly<Record<string, string>> = {}): RawCall {
    const fields = { ':method': 'POST', ':path': path, te: 'trailers', 'content-type': 'application/grpc' };
    return new RawCall(this.session.request({ ...fields, ...headers }, { endStream: false }));
  }

  close(): void {
    this.session.destroy();
  }
}

export class RawCall {
  /** Resolves when the call is over, however it ends. */
  readonly outcome: Promise<Outcome>;

  constructor(readonly stream: ClientHttp2Stream) {
    const seen: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    stream.on('response', (headers) => Object.assign(seen, headers));
    stream.on('trailers', (headers) => Object.assign(seen, headers));
    stream.on('data', (data: Buffer) => chunks.push(data));
    stream.on('error', () => undefined);
    this.outcome = new Promise((resolve) => {
      const done = (): void => {
        const { 'grpc-status': code, 'grpc-message': message } = seen;
        resolve({
          code: code === undefined ? undefined : Number(code),
          message: decodeURIComponent(String(message ?? '')),
          bytes: Buffer.concat(chunks),
        });
      };
      stream.on('end', () => setImmediate(done));
      stream.on('close', done);
    });
  }

  /** Sends bytes; resolves when they are on their way, or the call is over. */
  async send(...bytes: Uint8Array[]): Promise<void> {
    const sent = new Promise<void>((resolve) => this.stream.write(Buffer.concat(bytes), () => resolve()));
    await Promise.race([sent, this.outcome]);
  }

  /** Sends the last bytes, and ends the stream regularly. */
  end(...bytes: Uint8Array[]): void {
    this.stream.end(Buffer.concat(bytes));
  }

  /** Ends and resets the stream, as grpc-js's own client does when it cancels. */
  cancel(): void {
    this.stream.close(constants.NGHTTP2_CANCEL);
  }
}
