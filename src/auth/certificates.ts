import { canonicalCertificateName, type PeerCertificate } from '../core/caller.js';
import { parseAltNames, type AltName } from './alt-names.js';

/** The part of a TLSSocket that is used here, on a server that requests certificates. */
export interface TlsConnection {
  getPeerCertificate(): PresentedCertificate | null;
  /** Whether the certificate was verified. */
  readonly authorized: boolean;
  /** Why not. On servers it is OpenSSL's code, whatever Node's type says: `CERT_HAS_EXPIRED`. */
  readonly authorizationError?: unknown;
}

/** A certificate as Node presents it; an empty object if the client sent none. */
interface PresentedCertificate {
  readonly subject?: { readonly CN?: string | readonly string[] };
  readonly subjectaltname?: string;
}

/** Error texts by OpenSSL's code. */
const problems: ReadonlyMap<unknown, string> = new Map([
  ['CERT_HAS_EXPIRED', 'it has expired'],
  ['CERT_NOT_YET_VALID', "it isn't valid yet"],
  ['CERT_REVOKED', 'it was revoked'],
  ['INVALID_PURPOSE', "it isn't valid for clients"],
]);
const untrusted = "it isn't signed by an authority that this gateway trusts";
const unreadable = "its subject alternative names can't be read";

/** The kinds of alternative names that can identify a principal, as Node writes them. */
const kinds = ['DNS', 'URI', 'email'];

/** The client's certificate; undefined if it sent none. */
export function peerCertificate(connection: TlsConnection): PeerCertificate | undefined {
  const certificate = connection.getPeerCertificate();
  // Every certificate has a subject, though it may be empty.
  if (certificate?.subject === undefined) return undefined;
  const { subject, subjectaltname } = certificate;
  const commonNames = [subject.CN ?? []].flat().map((name) => `cn:${name}`);
  const altNames = subjectaltname === undefined ? [] : parseAltNames(subjectaltname);
  const names = [...commonNames, ...(altNames ?? []).flatMap(nameOf)];
  if (!connection.authorized) return { names, problem: problems.get(connection.authorizationError) ?? untrusted };
  return altNames === undefined ? { names, problem: unreadable } : { names };
}

function nameOf({ type, value }: AltName): string[] {
  return kinds.includes(type) ? [canonicalCertificateName(`${type.toLowerCase()}:${value}`)] : [];
}
