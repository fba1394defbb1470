import type { IncomingHttpHeaders } from 'node:http';
import type { Store } from '../../core/store.js';
import type { Exchange } from './exchange.js';

export interface RouteContext {
  /** The store that the caller asked for, as the caller has it. */
  readonly store: Store;
  readonly exchange: Exchange;
  /** The path's variable parts, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
}

/** Answers a request through its exchange, or throws before it has. */
export type Handler = (context: RouteContext) => Promise<void>;

/** The handlers of an API, by path and method. A path answers 405 to the methods that it doesn't have. */
export type Routes = Readonly<Record<string, Readonly<Record<string, Handler>>>>;
