/** The other end of a connection: what is known before it has asked anything. */
export interface Peer {
  /** The name of the listener that it came to, as configured. */
  readonly listener: string;
  /** Its IP address, or `unix socket`. */
  readonly address: string;
  /** The certificate it showed in the TLS handshake; undefined where it showed none. */
  readonly certificate?: PeerCertificate;
}

/** A client's certificate. */
export interface PeerCertificate {
  /**
   * What it calls its holder, each with its kind: `cn:web-1` (the subject's common name), `dns:web-1.example.org`,
   * `uri:spiffe://example.org/web-1`, `email:ops@example.org` (subject alternative names).
   */
  readonly names: readonly string[];
  /** Why it proves nothing (expired, signed by somebody else, …); undefined where it is trusted. */
  readonly problem?: string;
}

/** A certificate's name as configurations have it, in the form that a PeerCertificate has it: DNS names have no case. */
export function canonicalCertificateName(name: string): string {
  return name.startsWith('dns:') ? name.toLowerCase() : name;
}

/** Who asks, and from where: what came of logging in. */
export interface Caller {
  /** The principal's name; undefined for one who didn't log in. */
  readonly principal: string | undefined;
  readonly peer: Peer;
}

/** A caller as logs name it. */
export function callerName({ principal }: Caller): string {
  return principal ?? 'anonymous';
}
