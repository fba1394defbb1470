import type { Socket } from 'node:net';
import type { Caller, Peer } from '../../core/caller.js';
import { wireStatus } from '../../core/status.js';
import type { Frontend, FrontendOptions } from '../frontend.js';
import { Pace, type PaceLimits } from '../pace.js';
import { reportError, Requests } from '../requests.js';
import type { RequestRecord } from '../../core/request.js';
import { HttpConnections, type ConnectionLimits } from './connections.js';
import { Exchange } from './exchange.js';
import { pathOf } from './path.js';
import { Router } from './router.js';
import type { HttpStream } from './stream.js';
import { withV10Routes, type V10Options } from './v1-0.js';
import { v11Routes } from './v1-1.js';

export interface HttpSettings {
  /** How the API of plakar 1.0 is served. */
  readonly v10: V10Options;
  readonly limits: ConnectionLimits & PaceLimits;
}

export type HttpFrontendOptions = FrontendOptions & HttpSettings;

/** What a client may log in with (RFC 6750, RFC 7617). */
const challenge = 'Bearer realm="kloset-gateway", Basic realm="kloset-gateway", charset="UTF-8"';

/** For load balancers, who don't log in. */
const healthPath = '/healthz';

/** plakar's HTTP APIs over stores: the bytes go straight between the store and the socket. */
export class HttpFrontend implements Frontend {
  private readonly requests: Requests;
  private readonly pace: Pace;
  private readonly connections: HttpConnections;
  private router: Router;
  private closing = false;

  constructor(private readonly options: HttpFrontendOptions) {
    this.requests = new Requests(options.observers);
    this.pace = new Pace(options.limits);
    this.router = new Router(withV10Routes(v11Routes, options.v10));
    this.connections = new HttpConnections(options.limits, options.log, (stream, peer) => this.serve(stream, peer));
  }

  /** Takes on other settings, for the requests and connections that come from now on. */
  configure({ v10, limits }: HttpSettings): void {
    this.router = new Router(withV10Routes(v11Routes, v10));
    this.pace.limits = limits;
    this.connections.setLimits(limits);
  }

  accept(socket: Socket): void {
    this.connections.accept(socket);
  }

  async close(graceMs: number): Promise<void> {
    this.closing = true;
    await this.connections.close(graceMs);
    await this.requests.idle();
  }

  /** Answers a request, with its failure if need be. Never fails. */
  private serve(stream: HttpStream, peer: Peer): void {
    const { requests } = this;
    const record = requests.start('http', stream.method, pathOf(stream.target), peer.address);
    const exchange = new Exchange(stream, record, this.pace, requests);
    requests.enter();
    const leave = (): void => requests.leave();
    try {
      const answering = this.answer(stream, exchange, record, peer);
      if (answering === undefined) leave();
      else void answering.catch((error: unknown) => this.answerFailure(exchange, error)).finally(leave);
    } catch (error) {
      void this.answerFailure(exchange, error).finally(leave);
    }
  }

  /** Finds out who asks, and has it answered: at once, where neither takes time. */
  private answer(
    { target, headers }: HttpStream,
    exchange: Exchange,
    record: RequestRecord,
    peer: Peer,
  ): Promise<void> | undefined {
    if (record.path === healthPath) return this.answerHealth(exchange);
    const { store: name, methods, params } = this.router.find(target);
    const handler = Object.hasOwn(methods, record.method) ? methods[record.method] : undefined;
    exchange.failureFormat = handler?.failureFormat?.(headers) ?? exchange.failureFormat;
    const { access } = this.options;
    const asCaller = (caller: Caller): Promise<void> | undefined => {
      record.principal = caller.principal;
      const store = access.storeOf(caller, name);
      if (handler !== undefined) return handler({ store, exchange, params, headers });
      const allow = Object.keys(methods).join(', ');
      return exchange.sendFailure(405, `method not allowed: this path has ${allow}`, { allow });
    };
    return access.login(peer, headers.authorization).then(asCaller);
  }

  private async answerFailure(exchange: Exchange, error: unknown): Promise<void> {
    const { code, message } = reportError(error, this.options.log);
    if (exchange.committed || code === 'canceled') return exchange.breakOff();
    const headers = {
      ...(code === 'unauthenticated' && { 'www-authenticate': challenge }),
      ...(code === 'too_many_requests' && { 'retry-after': '1' }),
    };
    // A client that goes away while it is told has no use for the answer.
    await exchange.sendFailure(wireStatus[code].http, message, headers).catch(() => undefined);
  }

  /** Whether requests are taken. */
  private answerHealth(exchange: Exchange): Promise<void> {
    if (this.closing) return exchange.sendFailure(503, 'stopping');
    return exchange.send(200, { 'content-type': 'text/plain; charset=utf-8' }, Buffer.from('ok\n'));
  }
}
