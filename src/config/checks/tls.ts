import type { TlsConfig } from '../types.js';
import type { Context } from './context.js';

/** Checks that the certificate and its key are both there, or neither, and what depends on them. */
export function checkTls({ given, values, problem }: Context): TlsConfig | undefined {
  const { cert, key, clientCa, clientCert } = values.tls;
  if (given.cert !== undefined && given.key === undefined) problem(['cert'], 'a certificate needs its key: set key');
  if (given.key !== undefined && given.cert === undefined) problem(['key'], 'a key needs its certificate: set cert');
  if (given['client-ca'] !== undefined && given.cert === undefined) {
    problem(['client-ca'], 'client certificates need TLS: set cert and key');
  }
  if (clientCert === 'required' && given['client-ca'] === undefined) {
    problem(['client-cert'], 'no client certificate is trusted: set client-ca');
  }
  if (cert === undefined || key === undefined) return undefined;
  return { cert, key, clientCa, clientCertRequired: clientCert === 'required' };
}
