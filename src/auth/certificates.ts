import type { PeerCertificate } from '../core/caller.js';
import { parseAltNames } from './alt-names.js';

/** What is needed of a TLS connection; Node's TLSSocket is one, on a server that asks for certificates. */
export interface TlsConnection {
  getPeerCertificate(): PresentedCertificate | null;
  /** Whether the certificate was verified. */
  readonly authorized: boolean;
  /** Why it wasn't. Servers have OpenSSL's code here, whatever the type says: `CERT_HAS_EXPIRED`. */
  readonly authorizationError?: unknown;
}

/** What Node shows of a certificate; an empty object stands for none. */
interface PresentedCertificate {
  readonly subject?: { readonly CN?: string | readonly string[] };
  readonly subjectaltname?: string;
}

/** What is wrong, for the person at the client, by OpenSSL's code. */
const problems: ReadonlyMap<unknown, string> = new Map([
  ['CERT_HAS_EXPIRED', 'it has expired'],
  ['CERT_NOT_YET_VALID', "it isn't valid yet"],
  ['CERT_REVOKED', 'it was revoked'],
  ['INVALID_PURPOSE', "it isn't made for clients"],
]);
const untrusted = "it isn't signed by an authority that this gateway trusts";
const unreadable = "its subject alternative names can't be read";

/** The client's certificate; undefined where it showed none. */
export function peerCertificate(connection: TlsConnection): PeerCertificate | undefined {
  const certificate = connection.getPeerCertificate();
  // There is a subject in every certificate, if only an empty one.
  if (certificate?.subject === undefined) return undefined;
  const { subject, subjectaltname } = certificate;
  const commonNames = [subject.CN ?? []].flat().map((name) => `cn:${name}`);
  const altNames = subjectaltname === undefined ? [] : parseAltNames(subjectaltname);
  const names = [...commonNames, ...(altNames ?? []).flatMap(nameOf)];
  if (!connection.authorized) return { names, problem: problems.get(connection.authorizationError) ?? untrusted };
  return altNames === undefined ? { names, problem: unreadable } : { names };
}

/** The kinds of alternative names that can stand for a principal; addresses and the rest can't. */
function nameOf({ type, value }: { readonly type: string; readonly value: string }): string[] {
  switch (type) {
    case 'DNS':
      return [`dns:${value.toLowerCase()}`];
    case 'URI':
      return [`uri:${value}`];
    case 'email':
      return [`email:${value}`];
    default:
      return [];
  }
}
