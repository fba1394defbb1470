import { METHODS } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Store } from '../../core/store.js';
import type { Requests } from '../requests.js';
import { plainText, type ErrorHandler } from './errors.js';
import type { Exchange } from './exchange.js';

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange;
    /** The store that the request is about, as its caller has it; set once the caller is known. */
    store: Store;
  }
}

/** Answers a request: by its exchange or its reply. What it throws becomes the answer, unless that is on its way. */
export type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

export interface RouteContext {
  /** Counts handlers that are running: they may have to clean up after their client is gone. */
  readonly requests: Requests;
  readonly onError: ErrorHandler;
}

/** Adds the handlers of a path, by method. Other methods are answered with 405 and what there is. */
export function addPath(
  app: FastifyInstance,
  url: string,
  handlers: Readonly<Record<string, Handler>>,
  context: RouteContext,
): void {
  for (const [method, handler] of Object.entries(handlers)) {
    app.route({ url, method, handler: tracked(handler, context) });
  }
  const allow = Object.keys(handlers).join(', ');
  const others = METHODS.filter((method) => method !== 'CONNECT' && !(method in handlers));
  app.route({
    url,
    method: others,
    handler: async ({ exchange }, reply) => {
      await exchange.discardBody();
      return reply
        .code(405)
        .header('allow', allow)
        .type(plainText)
        .send(`method not allowed: this path has ${allow}\n`);
    },
  });
}

function tracked(handler: Handler, { requests, onError }: RouteContext): Handler {
  return async (request, reply) => {
    requests.enter();
    try {
      return await handler(request, reply);
    } catch (error) {
      // fastify calls no error handler once the response has begun.
      return await onError(error, request, reply);
    } finally {
      requests.leave();
    }
  };
}
