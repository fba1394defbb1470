import { addressGroup } from '../lib/ip-address.js';
import type { Authenticator } from '../auth/authenticator.js';
import type { AccessControl } from '../core/access-control.js';
import type { AuditOperation, AuditSink } from '../core/audit.js';
import type { Caller, Peer } from '../core/caller.js';
import { StoreError } from '../core/errors.js';
import type { Store } from '../core/store.js';
import { auditEntry, Audited, failure } from '../layers/audited.js';
import { Limited, type CallerLimits } from '../layers/limited.js';
import { accessOf, maxAccessOf, requireListener, type Grants } from './grants.js';
import { Policy, type Permission } from './policy.js';

export interface StoreAccessOptions {
  readonly authenticator: Authenticator;
  readonly grants: Grants;
  readonly stores: ReadonlyMap<string, { readonly store: Store }>;
  readonly callerLimits: CallerLimits;
  /** Undefined: nothing is recorded. */
  readonly auditLog: AuditSink | undefined;
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

  storeOf(caller: Caller, name: string): Store {
    const { authenticator, grants, stores, callerLimits, auditLog } = this.options;
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
    const limited = new Limited(opened.store, callerLimits, limitsKey(caller));
    const allowed = new Policy(limited, permission);
    return auditLog === undefined ? allowed : new Audited(allowed, auditLog, { caller, store: name });
  }

  private recordRefusal(operation: AuditOperation, caller: Caller, store: string, error: unknown): void {
    const event = { ...failure(error), operation, outcome: 'refused' } as const;
    this.options.auditLog?.record(auditEntry({ caller, store }, event));
  }
}

/** Limits are per principal, and for anonymous callers per address. */
function limitsKey({ principal, peer }: Caller): string {
  return principal === undefined ? `address ${addressGroup(peer.address)}` : `principal ${principal}`;
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
