import type { TLSSocket } from 'node:tls';

/** What people can use more than OpenSSL's words for it. */
const problems: ReadonlyMap<string, string> = new Map([
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'it took too long'],
  ['http request', 'the client speaks plain HTTP'],
  ['unsupported protocol', 'the client knows nothing newer than TLS 1.1'],
  ['no application protocol', 'the client offers no protocol that is spoken here (ALPN)'],
  ['peer did not return a certificate', 'the client showed no certificate, and one is needed here'],
]);

/**
 * Why a TLS handshake failed, for the log: never with anything that the client wrote. Undefined where the client just went away,
 * as the probes of load balancers do.
 */
export function handshakeProblem(
  error: Error & { readonly code?: string | undefined; readonly reason?: string },
  { authorizationError }: Pick<TLSSocket, 'authorizationError'>,
): string | undefined {
  // Servers have OpenSSL's code there, whatever the type says. Node then closes the connection without an error of its own.
  const untrusted = authorizationError as unknown;
  if (typeof untrusted === 'string') return `the client's certificate is not trusted (${untrusted})`;
  if (error.code === 'ECONNRESET') return undefined;
  const { code = 'unknown', reason = code } = error;
  return problems.get(reason) ?? reason;
}
