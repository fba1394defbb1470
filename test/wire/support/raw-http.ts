import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  /** By lower-case name; of a repeated one the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The interim answers before it: 100. */
  readonly interim: readonly number[];
}

/** HTTP/1.1 on a socket: sends any bytes, and reads answers one after the other. */
export class RawHttp {
  private chunks: Buffer[] = [];
  private size = 0;
  private wake: (() => void)[] = [];
  /** Whether the server has closed its side. */
  ended = false;

  private constructor(readonly socket: Socket) {
    socket.on('data', (data: Buffer) => {
      this.chunks.push(data);
      this.size += data.length;
      this.wakeAll();
    });
    for (const event of ['end', 'close', 'error']) {
      socket.on(event, () => {
        this.ended = true;
        this.wakeAll();
      });
    }
  }

  static async connect(port: number): Promise<RawHttp> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    await once(socket, 'connect');
    return new RawHttp(socket);
  }

  /** Sends bytes; resolves when the system has taken them, or the connection is gone. */
  async send(...parts: (string | Uint8Array)[]): Promise<void> {
    const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
    await new Promise((resolve) => this.socket.write(bytes, resolve));
  }

  /** The next answer, to a request with this method. Fails where the connection ends in the middle of it. */
  async answer(method = 'GET'): Promise<Answer> {
    const interim: number[] = [];
    for (;;) {
      const { status, headers } = await this.head();
      if (status >= 200) return { status, headers, interim, body: await this.body(method, headers) };
      interim.push(status);
    }
  }

  /** Reads the next answer, which has to be an interim one. Resolves to its status: 100. */
  async interim(): Promise<number> {
    const { status } = await this.head();
    if (status >= 200) throw new Error(`not an interim answer: ${status}`);
    return status;
  }

  /** Whether nothing has been received beyond the answers that were read. */
  get isSilent(): boolean {
    return this.size === 0;
  }

  /** Resolves to what comes before the server closes the connection. */
  async untilClosed(): Promise<Buffer> {
    while (!this.ended) await this.more();
    return this.take(this.size);
  }

  close(): void {
    this.socket.destroy();
  }

  private async head(): Promise<Pick<Answer, 'status' | 'headers'>> {
    let end;
    while ((end = this.received.indexOf('\r\n\r\n')) < 0) await this.moreOrFail();
    const [line = '', ...fields] = this.take(end + 4)
      .toString('latin1')
      .trimEnd()
      .split('\r\n');
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(line) ?? [];
    if (status === undefined) throw new Error(`not a status line: ${line}`);
    const headers = fields.map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
    });
    return { status: Number(status), headers: Object.fromEntries(headers) };
  }

  private async body(method: string, headers: Answer['headers']): Promise<Buffer> {
    if (method === 'HEAD') return Buffer.alloc(0);
    if (headers['transfer-encoding'] === 'chunked') return this.chunkedBody();
    const { 'content-length': length } = headers;
    if (length === undefined) return this.untilClosed();
    while (this.size < Number(length)) await this.moreOrFail();
    return this.take(Number(length));
  }

  private async chunkedBody(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (;;) {
      let end;
      while ((end = this.received.indexOf('\r\n')) < 0) await this.moreOrFail();
      const size = parseInt(this.take(end + 2).toString('latin1'), 16);
      while (this.size < size + 2) await this.moreOrFail();
      chunks.push(this.take(size + 2).subarray(0, size));
      if (size === 0) return Buffer.concat(chunks);
    }
  }

  private take(length: number): Buffer {
    const { received } = this;
    this.chunks = [received.subarray(length)];
    this.size -= length;
    return received.subarray(0, length);
  }

  /** What has been received and not read yet, in one piece. */
  private get received(): Buffer {
    const received = Buffer.concat(this.chunks);
    this.chunks = [received];
    return received;
  }

  private async moreOrFail(): Promise<void> {
    if (this.ended) throw new Error('the connection ended within an answer');
    await this.more();
  }

  private more(): Promise<void> {
    return this.ended ? Promise.resolve() : new Promise((resolve) => this.wake.push(resolve));
  }

  private wakeAll(): void {
    for (const wake of this.wake.splice(0)) wake();
  }
}

/** The start of a request, up to the empty line. */
export function requestHead(method: string, path: string, headers: Readonly<Record<string, string>> = {}): string {
  const fields = Object.entries({ Host: 'gateway', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${fields.join('')}\r\n`;
}

/** One chunk of a chunked body. An empty one ends it. */
export function chunk(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

export const lastChunk = '0\r\n\r\n';

/** One request on a connection of its own. */
export async function ask(
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = '',
): Promise<Answer> {
  const connection = await RawHttp.connect(port);
  try {
    await connection.send(requestHead(method, path, headers), body);
    return await connection.answer(method);
  } finally {
    connection.close();
  }
}

/** Puts bytes as plakar's client does: chunked, and said to be JSON. */
export function put(port: number, path: string, bytes: Uint8Array): Promise<Answer> {
  const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
  return ask(port, 'PUT', path, headers, Buffer.concat([chunk(bytes), Buffer.from(lastChunk)]));
}
