import * as http from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../../lib/logger.js';
import type { Frontend } from '../frontend.js';

export interface MetricsFrontendOptions {
  /** The metrics as they are now, in Prometheus' text format, and that format's content type. */
  readonly metrics: () => Promise<string>;
  readonly contentType: string;
  readonly log: Logger;
}

/** `GET /metrics`, for Prometheus and its like. It has listeners of its own, so that who may see them is decided by the address. */
export class MetricsFrontend implements Frontend {
  private readonly server: http.Server;
  private readonly sockets = new Set<Socket>();

  constructor(private readonly options: MetricsFrontendOptions) {
    this.server = http.createServer((request, response) => void this.answer(request, response));
    this.server.emit('listening');
  }

  accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    this.server.emit('connection', socket);
  }

  /** What is asked here can be asked again: nothing is waited for. */
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close(() => undefined);
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { metrics, contentType, log } = this.options;
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('the metrics are at /metrics\n');
      return;
    }
    try {
      const text = await metrics();
      response.writeHead(200, { 'content-type': contentType }).end(text);
    } catch (error) {
      log.error({ err: error }, "the metrics can't be collected");
      response.writeHead(500).end();
    }
  }
}
