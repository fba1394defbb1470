import { METHODS, type IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
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

/** A constraint for routes of requests that have a body. */
export const bodyConstraint = {
  name: 'hasBody',
  storage: () => {
    const handlers = new Map<unknown, never>();
    return {
      get: (hasBody: unknown) => handlers.get(hasBody) ?? null,
      set: (hasBody: unknown, handler: never) => void handlers.set(hasBody, handler),
    };
  },
  deriveConstraint: ({ headers }: { readonly headers: IncomingHttpHeaders }): true | undefined =>
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0 ? true : undefined,
};

/** Adds the handlers of a path, by method. Other methods are answered with 405 and what there is. */
export function addPath(
  app: FastifyInstance,
  { url, constraints }: Pick<RouteOptions, 'url' | 'constraints'>,
  handlers: Readonly<Record<string, Handler>>,
  context: RouteContext,
): void {
  const where = { url, ...(constraints && { constraints }) };
  for (const [method, handler] of Object.entries(handlers)) {
    app.route({ ...where, method, handler: tracked(handler, context) });
  }
  if (constraints !== undefined) return;
  const allow = Object.keys(handlers).join(', ');
  const others = METHODS.filter((method) => method !== 'CONNECT' && !(method in handlers));
  app.route({
    ...where,
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
