import { METHODS } from 'node:http';
import type { Socket } from 'node:net';
import type { onRequestAsyncHookHandler } from 'fastify';
import { canceled } from '../../core/errors.js';
import type { Frontend, FrontendOptions, Health } from '../frontend.js';
import { Pace, type PaceLimits } from '../pace.js';
import { Requests } from '../requests.js';
import { asPlainText, errorHandler } from './errors.js';
import { Exchange } from './exchange.js';
import { addHealthRoutes } from './health-routes.js';
import { checkHost } from './host-header.js';
import { HttpServer, type ConnectionLimits } from './http-server.js';
import { noSuchPath, parseTarget, pathOf } from './path.js';
import { isHttp2, type RawRequest } from './raw.js';
import { addV10, rootWithBody, type V10Options } from './v1-0.js';
import { addV11 } from './v1-1.js';

export interface HttpSettings {
  /** How the API of plakar 1.0 is served. */
  readonly v10: V10Options;
  readonly limits: ConnectionLimits & PaceLimits;
}

export type HttpFrontendOptions = FrontendOptions & HttpSettings & { readonly health: Health };

/** A route that there isn't: requests whose target can't be parsed fail there. */
const nowhere = '/-';

/** plakar's HTTP APIs over stores, on fastify. */
export class HttpFrontend implements Frontend {
  private readonly requests: Requests;
  private readonly pace: Pace;
  private readonly server: HttpServer;
  private v10: V10Options;

  constructor(private readonly options: HttpFrontendOptions) {
    const { limits, log } = options;
    this.v10 = options.v10;
    this.requests = new Requests(options.observers);
    this.pace = new Pace(limits);
    this.server = new HttpServer(limits, log, {
      rewriteUrl: rewrite,
      exposeHeadRoutes: false,
      // As long as a header section may be: what is no MAC is answered as that.
      routerOptions: { maxParamLength: 1024 ** 2 },
    });
    this.addRoutes();
  }

  /** Changes settings, for new requests and connections. */
  configure({ v10, limits }: HttpSettings): void {
    this.v10 = v10;
    this.pace.limits = limits;
    this.server.setLimits(limits);
  }

  accept(socket: Socket): void {
    // fastify loads its plugins asynchronously.
    void this.server.app.ready().then(() => this.server.accept(socket));
  }

  async close(graceMs: number): Promise<void> {
    await this.server.close(graceMs);
    await this.requests.idle();
  }

  private addRoutes(): void {
    const { requests, server } = this;
    const { app } = server;
    const { health, log } = this.options;
    const onError = errorHandler(log, asPlainText);
    // Bodies are streams, whatever their content type: fastify is to parse none.
    for (const method of METHODS) {
      if (method !== 'CONNECT') app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
    }
    app.decorateRequest('exchange');
    app.decorateRequest('store');
    app.addHook('onRequest', (request, reply, done) => {
      const peer = this.server.peerOf(request.raw);
      // The connection may be gone before its request is looked at.
      if (peer === undefined) return void reply.hijack();
      const record = requests.start('http', request.method, pathOf(request.originalUrl), peer.address);
      request.exchange = new Exchange(request, reply, record, this.pace, () => requests.end(record));
      try {
        checkHost(request.raw.rawHeaders);
        done();
      } catch (error) {
        // Who sends such a header may have smuggled more behind it.
        if (!isHttp2(request.raw)) reply.header('connection', 'close');
        throw error;
      }
    });
    app.setErrorHandler(onError);
    app.setNotFoundHandler((request) => {
      // Says what is wrong with a target that can't be parsed.
      parseTarget(request.originalUrl);
      throw noSuchPath();
    });
    addHealthRoutes(app, { health, showsStores: async () => false });
    app.register(async (api) => {
      api.addHook('onRequest', this.authorize);
      addV11(api, { requests, onError });
      api.register(async (inner) => addV10(inner, () => this.v10, { requests, log }));
    });
  }

  /** Finds out who asks, and gives the request that caller's store. */
  private readonly authorize: onRequestAsyncHookHandler = async (request) => {
    const { access } = this.options;
    const { exchange } = request;
    const peer = this.server.peerOf(request.raw);
    if (peer === undefined) throw canceled();
    const caller = await access.login(peer, request.headers.authorization);
    // Checking a password takes time.
    if (exchange.isAnswered) throw canceled();
    exchange.record.principal = caller.principal;
    request.store = access.storeOf(caller, parseTarget(request.originalUrl).store);
  };
}

/** The path for fastify's router: the request's without the store's name. */
function rewrite({ url = '', method, headers }: RawRequest): string {
  try {
    const { route } = parseTarget(url);
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    return hasBody && method === 'GET' && route === '/' ? rootWithBody : route;
  } catch {
    return nowhere;
  }
}
