import { timingSafeEqual } from 'node:crypto';
import type { Authenticator } from '../auth/authenticator.js';
import { parseAuthorization } from '../auth/credentials.js';
import type { LoginThrottle } from '../auth/throttle.js';
import { tokenDigest } from '../auth/tokens.js';
import type { Config } from '../config/types.js';
import type { AdminAccessControl, AdminRequest } from '../core/admin-access-control.js';
import type { Peer } from '../core/caller.js';
import { StoreError } from '../core/errors.js';
import { isLoopback } from '../lib/ip-address.js';
import { requireListener, type Grants } from './grants.js';

export interface AdminAccessOptions {
  readonly config: Pick<Config, 'adminToken' | 'principals' | 'listeners'>;
  /** Those of the same configuration. */
  readonly authenticator: Authenticator;
  readonly grants: Grants;
  readonly throttle: LoginThrottle;
}

/**
 * Who may see the gateway's status and metrics, according to one configuration.
 *
 * - Connections of this machine, unless they name a host that isn't: a web page may have made a browser send those (DNS rebinding).
 * - Others with the admin token, or as a principal that is an admin. Where the configuration has neither, they see the metrics only.
 */
export class AdminAccess implements AdminAccessControl {
  private readonly admins: ReadonlySet<string>;
  private readonly tokenHash: Buffer | undefined;

  constructor(private readonly options: AdminAccessOptions) {
    const { principals, adminToken } = options.config;
    this.admins = new Set(principals.filter(({ admin }) => admin).map(({ name }) => name));
    this.tokenHash = adminToken === undefined ? undefined : Buffer.from(adminToken, 'hex');
  }

  async check(peer: Peer, { part, host, authorization }: AdminRequest): Promise<void> {
    if (peer.address === 'unix socket') return;
    const isLocal = isLoopback(peer.address);
    if (isLocal && this.isOwnHost(host, peer)) return;
    if (this.tokenHash !== undefined || this.admins.size > 0) return this.login(peer, authorization);
    if (part === 'metrics') return;
    throw new StoreError('permission_denied', isLocal ? otherHost : otherMachine);
  }

  private async login(peer: Peer, authorization: string | undefined): Promise<void> {
    const { authenticator, grants, throttle } = this.options;
    if (authorization !== undefined) {
      if (this.isAdminToken(authorization)) return;
      // Without principals the authenticator takes everyone for an anonymous caller.
      if (!authenticator.canLogIn) return throttle.fail(peer.address, new StoreError('unauthenticated', wrong));
    }
    const caller = await authenticator.login(peer, authorization);
    if (caller.principal === undefined) throw new StoreError('unauthenticated', missing);
    requireListener(grants, caller);
    // Not permission_denied, after which a browser would not ask for another login.
    if (!this.admins.has(caller.principal)) throw new StoreError('unauthenticated', noAdmin);
  }

  private isAdminToken(authorization: string): boolean {
    const credentials = parseAuthorization(authorization);
    if (credentials === undefined || this.tokenHash === undefined) return false;
    const secret = credentials.scheme === 'bearer' ? credentials.token : credentials.secret;
    return timingSafeEqual(Buffer.from(tokenDigest(secret), 'hex'), this.tokenHash);
  }

  /** Whether a request over loopback names this machine, or the listener's address as configured. */
  private isOwnHost(host: string | undefined, { listener }: Peer): boolean {
    if (host === undefined) return true;
    const name = host
      .replace(/:\d*$/, '')
      .replace(/^\[(.*)\]$/, '$1')
      .toLowerCase();
    if (name === 'localhost' || isLoopback(name)) return true;
    const address = this.options.config.listeners.find((each) => each.name === listener)?.address;
    return address !== undefined && 'host' in address && name !== '' && address.host.toLowerCase() === name;
  }
}

const otherMachine =
  "the gateway's status is shown to this machine only: set admin-token, or `admin: true` for a principal, so that one can log in from others";
const otherHost =
  "the gateway's status is shown under the name localhost only: set admin-token, or `admin: true` for a principal, so that one can log in under others";
const missing =
  "the gateway's status requires a login: the admin token as the password, or a principal with `admin: true`";
const wrong = 'wrong admin token';
const noAdmin =
  "this login may not see the gateway's status: use one of a principal with `admin: true`, or the admin token";
