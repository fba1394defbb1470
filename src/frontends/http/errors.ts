import type { FastifyReply, FastifyRequest } from 'fastify';
import { wireStatus } from '../../core/status.js';
import type { Logger } from '../../lib/logger.js';
import { reportError } from '../requests.js';

/**
 * How an API puts a failure: sets the reply's status and content type, and returns its body. A request without a `store` failed before a
 * store was asked.
 */
export type FailureFormat = (reply: FastifyReply, status: number, message: string) => string;

export const plainText = 'text/plain; charset=utf-8';

export const asPlainText: FailureFormat = (reply, status, message) => {
  reply.code(status).type(plainText);
  return `${message}\n`;
};

/** What a client may log in with (RFC 6750, RFC 7617). */
export const challenge = 'Bearer realm="kloset-gateway", Basic realm="kloset-gateway", charset="UTF-8"';

export type ErrorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/**
 * fastify's error handler for an API: an error's code becomes a status by the one table. A response that is on its way already is broken
 * off instead.
 */
export function errorHandler(log: Logger, format: FailureFormat): ErrorHandler {
  return async (error, request, reply) => {
    const { code, message } = reportError(error, log);
    const { exchange } = request;
    if (exchange.isAnswered || code === 'canceled') {
      exchange.breakOff();
      return reply.hijack();
    }
    await exchange.discardBody();
    const text = format(reply, wireStatus[code].http, message);
    if (code === 'unauthenticated') reply.header('www-authenticate', challenge);
    if (code === 'too_many_requests') reply.header('retry-after', '1');
    return reply.send(text);
  };
}
