import type { PrincipalConfig } from '../config/types.js';
import type { Caller, Peer } from '../core/caller.js';
import { StoreError } from '../core/errors.js';
import { SingleFlight } from '../lib/single-flight.js';
import { CertificateTable } from './certificate-table.js';
import { parseAuthorization, type Credentials } from './credentials.js';
import type { Htpasswd } from './htpasswd.js';
import { Passwords } from './passwords.js';
import type { LoginThrottle } from './throttle.js';
import { TokenTable, type CompareBytes, type KnownToken } from './token-table.js';

export interface AuthenticatorOptions {
  readonly principals: readonly PrincipalConfig[];
  readonly htpasswd: Htpasswd | undefined;
  /** Shared with the authenticators of earlier and later configurations. */
  readonly throttle: LoginThrottle;
  /** Whether a bcrypt hash matches a password: BcryptWorker's `compare`. */
  readonly comparePassword: (password: string, hash: string) => Promise<boolean>;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now: () => number;
  /** By default `timingSafeEqual`. */
  readonly sameBytes?: CompareBytes;
}

/**
 * Authenticates requests, the same way for every protocol. Each configuration has its own authenticator, which never changes.
 *
 * - `Bearer TOKEN`, or `Basic` with a token as the password and its principal's name or none: the token's principal.
 * - `Basic` with a name and password of the htpasswd file: the principal of that name.
 * - Neither, but a client certificate: the principal that one of its names belongs to.
 * - Neither, and no certificate: an anonymous caller.
 *
 * Wrong credentials fail with `unauthenticated`; they never make an anonymous caller.
 */
export class Authenticator {
  /** Whether there is any way to log in. If not, every caller is anonymous, whatever credentials it sends. */
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
   * Who sent a request. Fails with `unauthenticated`, or with `too_many_requests` after too many failed logins.
   *
   * @param authorization the value of the Authorization header
   */
  async login(peer: Peer, authorization: string | undefined): Promise<Caller> {
    return { principal: await this.principalOf(peer, authorization), peer };
  }

  private async principalOf(peer: Peer, authorization: string | undefined): Promise<string | undefined> {
    if (!this.canLogIn) return undefined;
    if (authorization !== undefined) return this.byHeader(peer.address, authorization);
    return peer.certificate && this.certificates.principalOf(peer.certificate).name;
  }

  private async byHeader(address: string, authorization: string): Promise<string> {
    const { throttle, now } = this.options;
    const credentials = parseAuthorization(authorization);
    if (credentials === undefined) return throttle.fail(address, refusal(malformed));
    const token = this.tokens.find(credentials.scheme === 'bearer' ? credentials.token : credentials.secret);
    if (token !== undefined && belongsTo(token, credentials)) {
      return now() < token.expiresMs ? token.principal.name : throttle.fail(address, refusal(expired));
    }
    if (credentials.scheme === 'bearer' || this.passwords === undefined) return throttle.fail(address, refusal(wrong));
    return this.byPassword(address, this.passwords, credentials);
  }

  private async byPassword(
    address: string,
    passwords: Passwords,
    { name, secret }: Extract<Credentials, { scheme: 'basic' }>,
  ): Promise<string> {
    const fingerprint = passwords.fingerprint(name, secret);
    if (passwords.isRemembered(fingerprint)) return name;
    // Concurrent requests with the same password count as one attempt, and as one check in the queue of their address.
    await this.attempts.run(
      () => this.options.throttle.attempt(address, () => passwords.check(name, secret), refusal(wrong)),
      `${fingerprint} ${address}`,
    );
    return name;
  }
}

/** Whether the name that was sent with a token, if any, is its principal's. */
function belongsTo({ principal }: KnownToken, credentials: Credentials): boolean {
  return credentials.scheme === 'bearer' || credentials.name === '' || credentials.name === principal.name;
}

const malformed =
  'malformed credentials: send `Bearer TOKEN`, or `Basic` with the base64 of NAME:TOKEN or NAME:PASSWORD';

/** The same text for every kind of wrong credentials, so that it does not reveal which names exist. */
const wrong = "wrong token, or wrong name or password: check them, or ask the gateway's operator for a new token";

/** Sent only to callers that have the token. */
const expired = "your token has expired: ask the gateway's operator for a new one";

function refusal(text: string): StoreError {
  return new StoreError('unauthenticated', text);
}
