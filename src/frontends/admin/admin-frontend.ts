import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { AdminAccessControl, AdminRequest } from '../../core/admin-access-control.js';
import { canceled } from '../../core/errors.js';
import { wireStatus } from '../../core/status.js';
import type { Logger } from '../../lib/logger.js';
import type { Status } from '../../watch/status.js';
import type { Frontend, Health } from '../frontend.js';
import { asPlainText, challenge, plainText } from '../http/errors.js';
import { addHealthRoutes } from '../http/health-routes.js';
import { checkHost } from '../http/host-header.js';
import { HttpServer, type ConnectionLimits } from '../http/http-server.js';
import { reportError } from '../requests.js';
import { page } from './page.js';
import { refreshScript } from './refresh-script.js';
import { style } from './style.js';
import { viewOf } from './view.js';

export interface AdminFrontendOptions {
  /** The metrics as they are now, in Prometheus' text format, and that format's content type. */
  readonly metrics: () => Promise<string>;
  readonly contentType: string;
  readonly status: () => Promise<Status>;
  readonly health: Health;
  readonly access: AdminAccessControl;
  readonly log: Logger;
}

const limits: ConnectionLimits = {
  maxHeaderBytes: 16 * 1024,
  headerTimeoutMs: 30_000,
  idleMs: 120_000,
  maxStreams: 100,
  maxResets: 100,
};

/** The page loads what is beside it, and nothing else: also if a name in it were taken for HTML. */
const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

const paths = '/, /api/status, /metrics, /healthz and /readyz';

/** The status page, the metrics for Prometheus, and health checks. It has listeners of its own. */
export function adminFrontend(options: AdminFrontendOptions): Frontend {
  const { metrics, contentType, status, health, access, log } = options;
  const server = new HttpServer(limits, log);
  const { app } = server;

  const check = async (request: FastifyRequest, part: AdminRequest['part']): Promise<void> => {
    const peer = server.peerOf(request.raw);
    if (peer === undefined) throw canceled();
    const { host, ':authority': authority, authorization } = request.headers;
    await access.check(peer, { part, host: authority?.toString() ?? host, authorization });
  };
  const guarded = (part: AdminRequest['part']): { onRequest: onRequestAsyncHookHandler } => ({
    onRequest: async (request) => check(request, part),
  });
  const viewFor = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const now = await status();
    const view = viewOf(new URL(request.url, 'http://localhost').searchParams, now);
    if (view === undefined) return reply.code(404).type(plainText).send('there is no store of this name\n');
    return reply.type('text/html; charset=utf-8').send(page(now, view));
  };

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders);
    checkHost(request.raw.rawHeaders);
  });
  app.get('/', guarded('status'), viewFor);
  app.get('/api/status', guarded('status'), async () => status());
  app.get('/style.css', (_request, reply) => reply.type('text/css; charset=utf-8').send(style));
  app.get('/refresh.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(refreshScript));
  app.get('/metrics', guarded('metrics'), async (_request, reply) => reply.type(contentType).send(await metrics()));
  addHealthRoutes(app, {
    health,
    // Names of stores are for those who may see the metrics.
    showsStores: async (request) =>
      check(request, 'metrics').then(
        () => true,
        () => false,
      ),
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).type(plainText).send(`there is ${paths}\n`));
  app.setErrorHandler((error, _request, reply) => {
    const { code, message } = reportError(error, log);
    if (code === 'unauthenticated') reply.header('www-authenticate', challenge);
    if (code === 'too_many_requests') reply.header('retry-after', '1');
    return reply.send(asPlainText(reply, wireStatus[code].http, message));
  });
  return {
    accept: (socket) => void app.ready().then(() => server.accept(socket)),
    // Everything here can be asked for again: nothing is waited for.
    close: () => server.close(0),
  };
}
