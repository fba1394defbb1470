import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Health, StoreReadiness } from '../frontend.js';
import { plainText } from './errors.js';

export interface HealthRoutesOptions {
  readonly health: Health;
  /** Whether a request may see the names of the stores. */
  readonly showsStores: (request: FastifyRequest) => Promise<boolean>;
}

/** Adds `/healthz` and `/readyz`. They are for load balancers, which don't log in. */
export function addHealthRoutes(app: FastifyInstance, { health, showsStores }: HealthRoutesOptions): void {
  const method = ['GET', 'HEAD'];
  const stopping = (reply: FastifyReply): FastifyReply => reply.code(503).type(plainText).send('stopping\n');
  app.route({
    method,
    url: '/healthz',
    handler: (_request, reply) => (health.isStopping ? stopping(reply) : reply.type(plainText).send('ok\n')),
  });
  app.route({
    method,
    url: '/readyz',
    handler: async (request, reply) => {
      if (health.isStopping) return stopping(reply);
      const { isReady, stores } = await health.readiness();
      // It may have been asked to stop meanwhile.
      if (health.isStopping) return stopping(reply);
      const lines = (await showsStores(request)) ? stores.map(lineOf) : [];
      return reply
        .code(isReady ? 200 : 503)
        .type(plainText)
        .send([isReady ? 'ready' : 'not ready: a store does not answer', ...lines, ''].join('\n'));
    },
  });
}

function lineOf({ name, isOptional, problem }: StoreReadiness): string {
  const state = problem === undefined ? 'answers' : `does not answer: ${problem}`;
  return `${name === '' ? 'the default store' : JSON.stringify(name)}${isOptional ? ' (optional)' : ''}: ${state}`;
}
