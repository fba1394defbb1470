/** The other end of a connection: what is known before the first request. */
export interface Peer {
  /** The name of the listener, as configured. */
  readonly listener: string;
  /** The IP address, or `unix socket`. */
  readonly address: string;
  /** The certificate of the TLS handshake, if the client sent one. */
  readonly certificate?: PeerCertificate;
}

/** A client's certificate. */
export interface PeerCertificate {
  /**
   * The names in it, each with its kind: `cn:web-1` (the subject's common name), `dns:web-1.example.org`,
   * `uri:spiffe://example.org/web-1`, `email:ops@example.org` (subject alternative names).
   */
  readonly names: readonly string[];
  /** Why the certificate is not trusted (expired, unknown authority, …); undefined if it is. */
  readonly problem?: string;
}

/** A certificate's name as written in a configuration, in the form that `PeerCertificate.names` has: DNS names are lower case. */
export function canonicalCertificateName(name: string): string {
  return name.startsWith('dns:') ? name.toLowerCase() : name;
}

/** Who sent a request, and from where: the result of a login. */
export interface Caller {
  /** The principal's name; undefined for an anonymous caller. */
  readonly principal: string | undefined;
  readonly peer: Peer;
}

/** A caller's name in logs. */
export function callerName({ principal }: Caller): string {
  return principal ?? 'anonymous';
}
