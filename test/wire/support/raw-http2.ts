import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export const frameType = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

const flag = { endStream: 1, ack: 1, endHeaders: 4 } as const;

const initialWindow = 65535;

/**
 * HTTP/2 by hand on a socket, for what no library's client does: frames one by one, and no window opened ever. It keeps to the
 * windows that the server opens.
 */
export class RawHttp2 {
  private received = Buffer.alloc(0);
  private nextStream = 1;
  private connectionWindow = initialWindow;
  private streamInitialWindow = initialWindow;
  private readonly streamWindows = new Map<number, number>();
  private wake: (() => void)[] = [];
  /** Bytes of DATA frames that came in. */
  dataReceived = 0;
  /** Streams that ended, and for those that ended with a DATA frame, its length. */
  readonly ended = new Map<number, number | undefined>();
  /** The types of the frames that came in. */
  readonly frames: number[] = [];
  /** The codes of the RST_STREAM frames that came in, by stream. */
  readonly resets = new Map<number, number>();
  /** The code of the last GOAWAY frame that came in. */
  goAwayCode: number | undefined;
  closed = false;

  private constructor(readonly socket: Socket) {
    socket.on('data', (data: Buffer) => this.onData(data));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.wakeAll();
    });
  }

  static async connect(port: number): Promise<RawHttp2> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return RawHttp2.start(socket);
  }

  /** Connects with TLS, whatever the certificate. */
  static async connectTls(port: number): Promise<RawHttp2> {
    const socket = connectTls({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return RawHttp2.start(socket.setNoDelay(true));
  }

  private static start(socket: Socket): RawHttp2 {
    const connection = new RawHttp2(socket);
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    connection.frame(frameType.settings, 0, 0);
    return connection;
  }

  /** Opens a stream with a request for an rpc. Gives its number. */
  request(path: string, extra: Readonly<Record<string, string>> = {}): number {
    return this.open('POST', path, { te: 'trailers', 'content-type': 'application/grpc', ...extra });
  }

  /** Opens a stream with any request. Gives its number. */
  open(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    { endStream = false } = {},
  ): number {
    const stream = this.nextStream;
    this.nextStream += 2;
    const fields = { ':method': method, ':scheme': 'http', ':path': path, ':authority': 'gateway', ...headers };
    const flags = flag.endHeaders | (endStream ? flag.endStream : 0);
    this.frame(frameType.headers, flags, stream, headerBlock(fields));
    return stream;
  }

  /** Sends DATA frames, as the server's windows allow. */
  async data(stream: number, bytes: Uint8Array, options: { endStream?: boolean } = {}): Promise<void> {
    let at = 0;
    do {
      const window = Math.min(this.connectionWindow, this.windowOf(stream), 16384);
      const size = Math.min(window, bytes.length - at);
      if (size === 0 && at < bytes.length) {
        if (this.closed) return;
        await new Promise<void>((resolve) => this.wake.push(resolve));
        continue;
      }
      const isLast = at + size === bytes.length;
      this.connectionWindow -= size;
      this.streamWindows.set(stream, this.windowOf(stream) - size);
      const flags = isLast && options.endStream ? flag.endStream : 0;
      this.frame(frameType.data, flags, stream, bytes.subarray(at, at + size));
      at += size;
    } while (at < bytes.length);
  }

  /** Sends RST_STREAM and nothing else. */
  reset(stream: number, code = 8): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(code);
    this.frame(frameType.rstStream, 0, stream, payload);
  }

  close(): void {
    this.socket.destroy();
  }

  /** Sends any frame. */
  frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): void {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(stream, 5);
    this.socket.write(Buffer.concat([head, payload]));
  }

  private onData(data: Buffer): void {
    this.received = Buffer.concat([this.received, data]);
    while (this.received.length >= 9) {
      const length = this.received.readUIntBE(0, 3);
      if (this.received.length < 9 + length) return;
      const [type, flags, stream] = [this.received[3], this.received[4], this.received.readUInt32BE(5) & 0x7fffffff];
      this.onFrame(type ?? -1, flags ?? 0, stream, this.received.subarray(9, 9 + length));
      this.received = this.received.subarray(9 + length);
    }
  }

  private onFrame(type: number, flags: number, stream: number, payload: Buffer): void {
    this.frames.push(type);
    const isData = type === frameType.data;
    if (isData) this.dataReceived += payload.length;
    if ((isData || type === frameType.headers) && (flags & flag.endStream) !== 0)
      this.ended.set(stream, isData ? payload.length : undefined);
    if (type === frameType.ping && (flags & flag.ack) === 0) this.frame(frameType.ping, flag.ack, 0, payload);
    if (type === frameType.settings && (flags & flag.ack) === 0) this.onSettings(payload);
    if (type === frameType.rstStream) this.resets.set(stream, payload.readUInt32BE(0));
    if (type === frameType.goAway) this.goAwayCode = payload.readUInt32BE(4);
    if (type === frameType.windowUpdate) this.onWindowUpdate(stream, payload.readUInt32BE(0) & 0x7fffffff);
    this.wakeAll();
  }

  private onSettings(payload: Buffer): void {
    for (let at = 0; at < payload.length; at += 6) {
      // SETTINGS_INITIAL_WINDOW_SIZE
      if (payload.readUInt16BE(at) === 4) this.setInitialWindow(payload.readUInt32BE(at + 2));
    }
    this.frame(frameType.settings, flag.ack, 0);
  }

  /** It counts for the streams that are open, too (RFC 9113, 6.9.2). */
  private setInitialWindow(size: number): void {
    for (const [stream, window] of this.streamWindows)
      this.streamWindows.set(stream, window + size - this.streamInitialWindow);
    this.streamInitialWindow = size;
  }

  private onWindowUpdate(stream: number, increment: number): void {
    if (stream === 0) this.connectionWindow += increment;
    else this.streamWindows.set(stream, this.windowOf(stream) + increment);
  }

  private windowOf(stream: number): number {
    return this.streamWindows.get(stream) ?? this.streamInitialWindow;
  }

  private wakeAll(): void {
    for (const wake of this.wake.splice(0)) wake();
  }
}

/** HPACK (RFC 7541, 6.2.2): literal fields with literal names, never indexed, without Huffman coding. */
export function headerBlock(fields: Readonly<Record<string, string>>): Buffer {
  const block = Object.entries(fields).map(([name, value]) =>
    Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]),
  );
  return Buffer.concat(block);
}
