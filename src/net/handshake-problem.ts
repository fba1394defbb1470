import type { TLSSocket } from 'node:tls';

/** Messages that are clearer than OpenSSL's. */
const problems: ReadonlyMap<string, string> = new Map([
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'it took too long'],
  ['http request', 'the client speaks plain HTTP'],
  ['unsupported protocol', 'the client supports only TLS 1.1 or older'],
  ['no application protocol', 'the client offers no supported protocol (ALPN)'],
  ['peer did not return a certificate', 'the client has no certificate, which is required here'],
]);

/**
 * The reason why a TLS handshake failed, for the log; without anything that the client sent. Undefined if the client closed the
 * connection, as load balancers' probes do.
 */
export function handshakeProblem(
  error: Error & { readonly code?: string | undefined; readonly reason?: string },
  { authorizationError }: Pick<TLSSocket, 'authorizationError'>,
): string | undefined {
  // On servers this is OpenSSL's code, in spite of its type. Node then closes the connection without an error of its own.
  const untrusted = authorizationError as unknown;
  if (typeof untrusted === 'string') return `the client's certificate is not trusted (${untrusted})`;
  if (error.code === 'ECONNRESET') return undefined;
  const { code = 'unknown', reason = code } = error;
  return problems.get(reason) ?? reason;
}
