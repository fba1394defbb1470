import type { FastifyReply, FastifyRequest } from 'fastify';
import { wireStatus } from '../../core/status.js';
import type { Logger } from '../../lib/logger.js';
import { reportError } from '../requests.js';

/** How an API puts a failure. */
export interface FailureBody {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** @param request may tell how far it came: a request without a `store` failed before a store was asked */
export type FailureFormat = (status: number, message: string, request: FastifyRequest) => FailureBody;

export const plainText = 'text/plain; charset=utf-8';

export const asPlainText: FailureFormat = (status, message) => ({
  status,
  contentType: plainText,
  text: `${message}\n`,
});

/** What a client may log in with (RFC 6750, RFC 7617). */
const challenge = 'Bearer realm="kloset-gateway", Basic realm="kloset-gateway", charset="UTF-8"';

/** fastify's error handler for an API: an error's code becomes a status by the one table. */
export function errorHandler(log: Logger, format: FailureFormat) {
  return async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { code, message } = reportError(error, log);
    const { exchange } = request;
    if (exchange.isAnswered || code === 'canceled') {
      exchange.breakOff();
      return reply.hijack();
    }
    await exchange.discardBody();
    const failure = format(wireStatus[code].http, message, request);
    reply.code(failure.status).type(failure.contentType);
    if (code === 'unauthenticated') reply.header('www-authenticate', challenge);
    if (code === 'too_many_requests') reply.header('retry-after', '1');
    return reply.send(failure.text);
  };
}
