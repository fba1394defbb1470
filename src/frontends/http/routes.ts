import type { IncomingHttpHeaders } from 'node:http';
import type { Store } from '../../core/store.js';
import type { Exchange, FailureFormat } from './exchange.js';

export interface RouteContext {
  /** The store that the caller asked for, as the caller has it. */
  readonly store: Store;
  readonly exchange: Exchange;
  /** The path's variable parts, decoded. */
  readonly params: PathParams;
  readonly headers: IncomingHttpHeaders;
}

export interface PathParams {
  readonly resource?: string | undefined;
  readonly mac?: string | undefined;
}

/** Answers a request through its exchange, or throws before it has. Where it is answered at once, there is no promise. */
export interface Handler {
  (context: RouteContext): Promise<void> | undefined;
  /** How the failures of a request with these headers are put, also those of logging in; undefined: as plain text. */
  readonly failureFormat?: (headers: IncomingHttpHeaders) => FailureFormat | undefined;
}

/** What a path has: its handlers by method. It answers 405 to the methods that it doesn't have. */
export type Methods = Readonly<Record<string, Handler>>;

/** The handlers of an API, by path. */
export type Routes = Readonly<Record<string, Methods>>;

export interface Match {
  readonly methods: Methods;
  readonly params: PathParams;
}

const noParams: PathParams = {};

/** Finds what is at a path of the API, given as its decoded parts; undefined where there is nothing. */
export function findRoute(routes: Routes, api: readonly string[]): Match | undefined {
  const [first, resource, mac] = api;
  if (first !== 'resources') return matchOf(routes, `/${api.join('/')}`, noParams);
  if (api.length === 2) return matchOf(routes, '/resources/:resource', { resource });
  return api.length === 3 ? matchOf(routes, '/resources/:resource/:mac', { resource, mac }) : undefined;
}

function matchOf(
  routes: Routes,
  path: string,
  params: { [K in keyof PathParams]: string | undefined },
): Match | undefined {
  const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
  return methods && { methods, params: params as PathParams };
}
