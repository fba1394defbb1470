import { fastify, type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import * as http from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ListenAddress } from '../../core/address.js';
import { StoreError } from '../../core/errors.js';
import { wireStatus } from '../../core/status.js';
import type { Frontend, FrontendOptions } from '../frontend.js';
import { listenOn } from './listen.js';
import { reportError, Requests } from '../requests.js';
import { Exchange } from './exchange.js';
import type { Handler, Routes } from './routes.js';
import { withV10Routes, type V10Options } from './v1-0.js';
import { v11Routes } from './v1-1.js';

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange;
  }
}

export interface HttpFrontendOptions extends FrontendOptions {
  /** How the API of plakar 1.0 is served. */
  readonly v10: V10Options;
}

const serverOptions: http.ServerOptions = {
  // Longer than Go's clients keep an idle connection (90 s): a PUT on one that was closed meanwhile can't be retried.
  keepAliveTimeout: 120_000,
  headersTimeout: 30_000,
  // Node's default would cut every upload at five minutes. Whoever stops sending is cut by the idle limit below.
  requestTimeout: 0,
  noDelay: true,
};

/** A connection on which nothing moves for so long, in either direction, is dead. In milliseconds. */
const idleLimitMs = 300_000;

/** How often connections are looked for that became idle while closing. In milliseconds. */
const closingPollMs = 50;

/** plakar's HTTP API over a store: routing is fastify's, the bytes go straight between the store and the socket. */
export class HttpFrontend implements Frontend {
  private readonly servers: http.Server[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly requests: Requests;
  private closed: Promise<unknown> | undefined;

  private constructor(
    private readonly app: FastifyInstance,
    private readonly options: HttpFrontendOptions,
  ) {
    this.requests = new Requests(options.log);
  }

  static async create(options: HttpFrontendOptions): Promise<HttpFrontend> {
    // exposeHeadRoutes would answer HEAD with what GET reads.
    const app = fastify({
      exposeHeadRoutes: false,
      routerOptions: { maxParamLength: 1024 },
      // The router takes any first character for the slash, and with it `*`, the path of no resource, for `/`.
      rewriteUrl: ({ url = '/' }) => (url.startsWith('*') ? `/${url}` : url),
    });
    const frontend = new HttpFrontend(app, options);
    frontend.addHandlers();
    await app.ready();
    return frontend;
  }

  async listen(address: ListenAddress): Promise<ListenAddress> {
    const server = http.createServer(serverOptions, this.app.routing);
    // Whether a body is wanted is known only when the request has been looked at.
    server.on('checkContinue', this.app.routing);
    server.on('clientError', answerUnparsable);
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.timeout = idleLimitMs;
    const bound = await listenOn(server, address);
    this.servers.push(server);
    return bound;
  }

  async close(graceMs: number): Promise<void> {
    this.closed ??= Promise.all(this.servers.map((server) => this.closeServer(server)));
    const limit = setTimeout(() => this.servers.forEach((server) => server.closeAllConnections()), graceMs);
    await this.closed;
    clearTimeout(limit);
    await this.requests.idle();
  }

  /** Resolves when a server has no connection left: those that become idle meanwhile are closed, too. */
  private closeServer(server: http.Server): Promise<void> {
    return new Promise((resolve) => {
      const poll = setInterval(() => {
        server.closeIdleConnections();
        // Node takes one on which nothing ever came for busy. Go's clients have such: they dial ahead.
        for (const socket of this.sockets) if (socket.bytesRead === 0) socket.destroy();
      }, closingPollMs);
      server.close(() => {
        clearInterval(poll);
        resolve();
      });
    });
  }

  private addHandlers(): void {
    const { app } = this;
    app.decorateRequest('exchange');
    app.addHook('onRequest', (request, reply, done) => {
      request.exchange = this.startExchange(request.raw, reply.raw);
      done();
    });
    app.setErrorHandler((error: FastifyError, request, reply) =>
      this.answer(reply, request.exchange, () => Promise.reject(refusedByRouter(error))),
    );
    app.setNotFoundHandler((request, reply) =>
      this.answer(reply, request.exchange, () =>
        Promise.reject(new StoreError('not_found', 'no such path: a store is at /, and its objects at /resources/')),
      ),
    );
    for (const method of http.METHODS) {
      // Node answers CONNECT itself, by closing the connection. A body, of any type, of a malformed one or of none, is the
      // handler's to read: fastify is told that there never is one, so that it doesn't look at types.
      if (method !== 'CONNECT') app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
    }
    this.addRoutes(withV10Routes(v11Routes, this.options.v10));
  }

  private addRoutes(routes: Routes): void {
    for (const [url, handlers] of Object.entries(routes)) {
      for (const [method, handler] of Object.entries(handlers)) this.addRoute(url, method, handler);
      const allow = Object.keys(handlers).join(', ');
      const others = this.app.supportedMethods.filter((method) => !(method in handlers));
      this.addRoute(url, others, ({ exchange }) =>
        exchange.sendFailure(405, `method not allowed: this path has ${allow}`, { allow }),
      );
    }
  }

  private addRoute(url: string, method: string | string[], handler: Handler): void {
    this.app.route({
      url,
      method,
      handler: (request, reply) =>
        this.answer(reply, request.exchange, () =>
          handler({
            store: this.options.storeOf(''),
            exchange: request.exchange,
            params: request.params as Record<string, string>,
            headers: request.headers,
          }),
        ),
    });
  }

  private startExchange(request: http.IncomingMessage, response: http.ServerResponse): Exchange {
    const record = this.requests.start({
      protocol: 'http',
      method: request.method ?? '',
      path: request.url ?? '',
      caller: request.socket.remoteAddress ?? 'unix socket',
    });
    return new Exchange(request, response, record, () => this.requests.end(record));
  }

  /** Runs what answers a request, and answers with its failure. */
  private async answer(reply: FastifyReply, exchange: Exchange, work: () => Promise<void>): Promise<void> {
    reply.hijack();
    await this.requests.run(async () => {
      try {
        await work();
      } catch (error) {
        const { code, message } = reportError(error, this.options.log);
        if (exchange.committed || code === 'canceled') exchange.breakOff();
        // A client that goes away while it is told has no use for the answer.
        else await exchange.sendFailure(wireStatus[code].http, message).catch(() => undefined);
      }
    });
  }
}

/** What fastify itself refuses, before there is a route: paths and headers that it can't take. */
function refusedByRouter(error: FastifyError): StoreError {
  const { statusCode } = error;
  if (statusCode === undefined || statusCode < 400 || statusCode > 499) return StoreError.from(error);
  return new StoreError('invalid_argument', error.message, { cause: error });
}

/** What isn't HTTP, or has headers beyond every measure: there is no request to answer, only a connection. */
function answerUnparsable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const line = tooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const text = tooLarge ? 'the headers are too large\n' : 'this is not an HTTP/1.1 request\n';
  const headers = `Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${text.length}`;
  socket.end(`HTTP/1.1 ${line}\r\n${headers}\r\n\r\n${text}`);
}
