import type { Logger } from '../../lib/logger.js';
import type { Frontend } from '../frontend.js';
import { plainText } from './errors.js';
import { HttpServer, type ConnectionLimits } from './http-server.js';

export interface MetricsFrontendOptions {
  /** The metrics as they are now, in Prometheus' text format, and that format's content type. */
  readonly metrics: () => Promise<string>;
  readonly contentType: string;
  readonly log: Logger;
}

const limits: ConnectionLimits = {
  maxHeaderBytes: 16 * 1024,
  headerTimeoutMs: 30_000,
  idleMs: 120_000,
  maxStreams: 100,
  maxResets: 100,
};

/** `GET /metrics`, for Prometheus. It has listeners of its own, so that who may read the metrics is decided by the address. */
export function metricsFrontend({ metrics, contentType, log }: MetricsFrontendOptions): Frontend {
  const server = new HttpServer(limits, log);
  const { app } = server;
  app.get('/metrics', async (_request, reply) => reply.type(contentType).send(await metrics()));
  app.setNotFoundHandler((_request, reply) => reply.code(404).type(plainText).send('the metrics are at /metrics\n'));
  app.setErrorHandler((error, _request, reply) => {
    log.error({ err: error }, "the metrics can't be collected");
    return reply.code(500).type(plainText).send('the metrics can not be collected\n');
  });
  return {
    accept: (socket) => void app.ready().then(() => server.accept(socket)),
    // A scrape can be repeated: none is waited for.
    close: () => server.close(0),
  };
}
