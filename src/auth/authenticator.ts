import type { PrincipalConfig } from '../config/types.js';
import type { Caller, Peer, PeerCertificate } from '../core/caller.js';
import { StoreError } from '../core/errors.js';
import { CertificateTable } from './certificate-table.js';
import { parseAuthorization, type Credentials } from './credentials.js';
import type { Htpasswd } from './htpasswd.js';
import { Passwords } from './passwords.js';
import { SingleFlight } from '../lib/single-flight.js';
import type { LoginThrottle } from './throttle.js';
import { TokenTable, type CompareBytes, type KnownToken } from './token-table.js';

export interface AuthenticatorOptions {
  readonly principals: readonly PrincipalConfig[];
  readonly htpasswd: Htpasswd | undefined;
  /** Kept when a configuration is reloaded, as the next one is. */
  readonly throttle: LoginThrottle;
  /** Whether a bcrypt hash was made of a password: BcryptWorker's `compare`. */
  readonly comparePassword: (password: string, hash: string) => Promise<boolean>;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now: () => number;
  /** By default `timingSafeEqual`. */
  readonly sameBytes?: CompareBytes;
}

/**
 * Finds out who a request comes from, for every protocol. One is made for each configuration, and never changes.
 *
 * - `Bearer TOKEN`, or `Basic` with a token as the password and its principal's name or none: that principal.
 * - `Basic` with a name and password of the htpasswd file: the principal of that name.
 * - Without any of these, a trusted client certificate: the principal that one of its names belongs to.
 * - Nothing at all: nobody.
 *
 * What is wrong fails with `unauthenticated`, and never passes for nobody.
 */
export class Authenticator {
  /** Whether anybody can log in at all. Where not, everybody is nobody, whatever they send. */
  readonly canLogIn: boolean;
  private readonly tokens: TokenTable;
  private readonly certificates: CertificateTable;
  private readonly passwords: Passwords | undefined;
  private readonly attempts = new SingleFlight<void>();

  constructor(private readonly options: AuthenticatorOptions) {
    const { principals, htpasswd, comparePassword: compare, now } = options;
    this.canLogIn = principals.length > 0 || htpasswd !== undefined;
    this.tokens = new TokenTable(principals, options.sameBytes);
    this.certificates = new CertificateTable(principals);
    this.passwords = htpasswd && new Passwords({ htpasswd, compare, now });
  }

  /**
   * Who a request comes from. At once, unless a password has to be checked or the answer is held back: this runs for every request.
   * Throws, or fails with, `unauthenticated` or `too_many_requests`.
   *
   * @param authorization the value of the Authorization header
   */
  login(peer: Peer, authorization: string | undefined): Caller | Promise<Caller> {
    if (!this.canLogIn) return { principal: undefined, peer };
    if (authorization !== undefined) return this.byHeader(peer, authorization);
    if (peer.certificate !== undefined) return this.byCertificate(peer, peer.certificate);
    return { principal: undefined, peer };
  }

  private byHeader(peer: Peer, authorization: string): Caller | Promise<Caller> {
    const credentials = parseAuthorization(authorization);
    if (credentials === undefined) return this.options.throttle.fail(peer.address, malformed());
    const token = this.tokens.find(credentials.scheme === 'bearer' ? credentials.token : credentials.secret);
    if (token !== undefined && fits(token, credentials)) return this.byToken(peer, token);
    if (credentials.scheme === 'bearer' || this.passwords === undefined) {
      return this.options.throttle.fail(peer.address, wrong());
    }
    return this.byPassword(peer, this.passwords, credentials);
  }

  private byToken(peer: Peer, { principal, expiresMs }: KnownToken): Caller | Promise<Caller> {
    if (this.options.now() >= expiresMs) return this.options.throttle.fail(peer.address, expired());
    return { principal: principal.name, peer };
  }

  private byPassword(
    peer: Peer,
    passwords: Passwords,
    { name, secret }: Extract<Credentials, { scheme: 'basic' }>,
  ): Caller | Promise<Caller> {
    const fingerprint = passwords.fingerprint(name, secret);
    if (passwords.isRemembered(fingerprint)) return { principal: name, peer };
    // Requests that come at once with the same password are one attempt, and take up one place in the queue of their address.
    const attempt = this.attempts.run(`${fingerprint} ${peer.address}`, () =>
      this.options.throttle.attempt(peer.address, () => passwords.check(name, secret), wrong()),
    );
    return attempt.then(() => ({ principal: name, peer }));
  }

  private byCertificate(peer: Peer, certificate: PeerCertificate): Caller {
    return { principal: this.certificates.principalOf(certificate).name, peer };
  }
}

/** Whether the name beside a token, if any, is its principal's. */
function fits({ principal }: KnownToken, credentials: Credentials): boolean {
  return credentials.scheme === 'bearer' || credentials.name === '' || credentials.name === principal.name;
}

function malformed(): StoreError {
  return new StoreError(
    'unauthenticated',
    "can't read the credentials: they have to be `Bearer TOKEN`, or `Basic` with the base64 of NAME:TOKEN or NAME:PASSWORD",
  );
}

/** The same for whatever is wrong, so that nobody learns which names there are. */
function wrong(): StoreError {
  return new StoreError(
    'unauthenticated',
    "wrong token, or wrong name or password: check them, or ask the gateway's operator for a new token",
  );
}

/** Only whoever has the token itself reads this. */
function expired(): StoreError {
  return new StoreError('unauthenticated', "your token has expired: ask the gateway's operator for a new one");
}
