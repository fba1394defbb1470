import { addressGroup } from '../lib/ip-address.js';
import type { Authenticator } from '../auth/authenticator.js';
import type { AccessControl } from '../core/access-control.js';
import type { ActivitySink } from '../core/activity.js';
import type { AuditOperation } from '../core/audit.js';
import type { Caller, Peer } from '../core/caller.js';
import { hasRight } from '../core/access.js';
import { StoreError } from '../core/errors.js';
import { formatMoment, momentForm, parseMoment } from '../core/moment.js';
import { parseStoreAddress } from '../core/store-name.js';
import type { Store } from '../core/store.js';
import { auditEntry, Audited, failure } from '../layers/audited.js';
import { Limited, type CallerLimits } from '../layers/limited.js';
import { accessOf, maxAccessOf, requireListener, type Grants } from './grants.js';
import { Policy, type Permission } from './policy.js';

export interface StoreAccessOptions {
  readonly authenticator: Authenticator;
  readonly grants: Grants;
  readonly stores: ReadonlyMap<string, AccessibleStore>;
  readonly callerLimits: CallerLimits;
  readonly activity: ActivitySink;
}

export interface AccessibleStore {
  readonly store: Store;
  /** The store as it was at a moment, in milliseconds since 1970-01-01 UTC: read-only. Throws if there is no such view of it. */
  readonly asOf: (momentMs: number) => Store;
}

/**
 * Who may do what with which store, according to one configuration. The stores that it returns have all per-caller layers: audited, then
 * restricted by policy, then limited.
 */
export class StoreAccess implements AccessControl {
  constructor(private readonly options: StoreAccessOptions) {}

  async login(peer: Peer, authorization: string | undefined): Promise<Caller> {
    let caller: Caller = { principal: undefined, peer };
    try {
      caller = await this.options.authenticator.login(peer, authorization);
      requireListener(this.options.grants, caller);
      return caller;
    } catch (error) {
      this.recordRefusal('login', caller, '', error);
      throw error;
    }
  }

  storeOf(caller: Caller, address: string): Store {
    const { name, moment } = parseStoreAddress(address);
    const { authenticator, grants, stores, callerLimits, activity } = this.options;
    const opened = stores.get(name);
    const permission: Permission = {
      access: accessOf(grants, caller, name),
      maxAccess: maxAccessOf(grants, caller.peer.listener),
      isLoggedIn: caller.principal !== undefined,
      canLogIn: authenticator.canLogIn,
    };
    if (opened === undefined || permission.access === 'none') {
      const error = storeRefusal(permission, name, opened !== undefined);
      if (error.code !== 'not_found') this.recordRefusal('open', caller, name, error);
      throw error;
    }
    if (moment !== undefined && !hasRight(permission.access, 'read-packfiles')) {
      const error = viewRefusal(permission);
      this.recordRefusal('open', caller, name, error);
      throw error;
    }
    const store = moment === undefined ? opened.store : opened.asOf(pastMoment(moment, Date.now()));
    const limited = new Limited(store, callerLimits, limitsKey(caller));
    const allowed = new Policy(limited, permission);
    return new Audited(allowed, activity, { caller, store: name });
  }

  private recordRefusal(operation: AuditOperation, caller: Caller, store: string, error: unknown): void {
    const event = { ...failure(error), operation, outcome: 'refused' } as const;
    this.options.activity.record(auditEntry({ caller, store }, event));
  }
}

/** Limits are per principal, and for anonymous callers per address. */
function limitsKey({ principal, peer }: Caller): string {
  return principal === undefined ? `address ${addressGroup(peer.address)}` : `principal ${principal}`;
}

/** The moment of a request. Throws `invalid_argument` for what is none, and for the future. */
function pastMoment(text: string, nowMs: number): number {
  const ms = parseMoment(text, nowMs);
  if (ms === undefined) throw new StoreError('invalid_argument', `after the @ of a store's name comes ${momentForm}`);
  if (ms <= nowMs) return ms;
  throw new StoreError('invalid_argument', `${formatMoment(ms)} is in the future, by the gateway's clock`);
}

/** Why a caller that may use a store gets no view of it. */
function viewRefusal({ access, isLoggedIn, canLogIn }: Permission): StoreError {
  const text = `a store as of a moment is for reading, packfiles included: this needs read-only access; yours is ${access}`;
  return new StoreError(canLogIn && !isLoggedIn ? 'unauthenticated' : 'permission_denied', text);
}

/** Why a caller gets no store of this name. If there are logins, the answer does not reveal whether the store exists. */
function storeRefusal({ maxAccess, isLoggedIn, canLogIn }: Permission, name: string, exists: boolean): StoreError {
  const store = name === '' ? 'the default store' : `store ${JSON.stringify(name)}`;
  if (maxAccess === 'none') return new StoreError('permission_denied', 'this listener gives access to no store');
  if (canLogIn && !isLoggedIn) return new StoreError('unauthenticated', `${store} requires a login`);
  if (canLogIn) {
    return new StoreError('permission_denied', `${store} does not exist, or you have no access to it`);
  }
  if (exists) return new StoreError('permission_denied', `no access to ${store}: its anonymous access is none`);
  const missing = name === '' ? 'no default store here: the stores have names' : `no ${store} here`;
  return new StoreError('not_found', `${missing}; ask the gateway's operator which there are`);
}
