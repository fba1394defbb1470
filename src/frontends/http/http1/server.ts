import type { Socket } from 'node:net';
import type { HttpStream } from '../stream.js';
import { Http1Connection, type Http1Limits } from './connection.js';

/** How often connections are looked for that take too long, in milliseconds. */
const checkMs = 1000;

/** The connections over HTTP/1.1 of a frontend. */
export class Http1Server {
  private readonly connections = new Set<Http1Connection>();
  private timer: NodeJS.Timeout | undefined;
  private isClosing = false;

  /**
   * @param limits may be changed at any time
   * @param onRequest is given each request with the socket that it came on
   */
  constructor(
    public limits: Http1Limits,
    private readonly onRequest: (stream: HttpStream, socket: Socket) => void,
  ) {}

  accept(socket: Socket): void {
    const connection = new Http1Connection(
      socket,
      () => this.limits,
      (stream) => this.onRequest(stream, socket),
    );
    this.connections.add(connection);
    this.timer ??= setInterval(() => this.check(), checkMs).unref();
    socket.once('close', () => this.connections.delete(connection));
    if (this.isClosing) connection.close();
  }

  /** Has every connection closed when its request has its answer. */
  close(): void {
    this.isClosing = true;
    for (const connection of this.connections) connection.close();
  }

  private check(): void {
    const nowMs = performance.now();
    for (const connection of this.connections) connection.check(nowMs);
    if (this.connections.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
