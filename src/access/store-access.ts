import { addressGroup } from '../auth/address-group.js';
import type { Authenticator } from '../auth/authenticator.js';
import { accessOf, requireListener, type Grants } from './grants.js';
import type { Access } from '../core/access.js';
import type { AuditTrail } from '../core/audit.js';
import type { Caller, Peer } from '../core/caller.js';
import { StoreError } from '../core/errors.js';
import type { Store } from '../core/store.js';
import type { AccessControl } from '../core/access-control.js';
import { auditEntry, Audited } from '../layers/audited.js';
import { Limited } from '../layers/limited.js';
import { Policy } from './policy.js';
import type { Turns } from '../layers/turns.js';

export interface ConfiguredAccessOptions {
  readonly authenticator: Authenticator;
  readonly grants: Grants;
  readonly stores: ReadonlyMap<string, { readonly store: Store }>;
  readonly turns: Turns;
  /** Undefined: nothing is recorded. */
  readonly trail: AuditTrail | undefined;
}

interface Granted {
  readonly principal: string | undefined;
  readonly name: string;
  readonly store: Store;
}

/**
 * What one configuration says about who may do what. Each store is handed out with every layer around it: recorded, as the policy
 * allows, within the caller's limits.
 */
export class ConfiguredAccess implements AccessControl {
  /** What each connection asked for last: mostly it asks for the same again. */
  private readonly last = new WeakMap<Peer, Granted>();

  constructor(private readonly options: ConfiguredAccessOptions) {}

  login(peer: Peer, authorization: string | undefined): Caller | Promise<Caller> {
    const refuse = (error: unknown): never => this.refuseLogin({ principal: undefined, peer }, error);
    let caller;
    try {
      caller = this.options.authenticator.login(peer, authorization);
    } catch (error) {
      return refuse(error);
    }
    return caller instanceof Promise ? caller.then((known) => this.admit(known), refuse) : this.admit(caller);
  }

  storeOf(caller: Caller, name: string): Store {
    const last = this.last.get(caller.peer);
    if (last !== undefined && last.name === name && last.principal === caller.principal) return last.store;
    const store = this.grant(caller, name);
    this.last.set(caller.peer, { principal: caller.principal, name, store });
    return store;
  }

  private grant(caller: Caller, name: string): Store {
    const { grants, stores, turns, trail, authenticator } = this.options;
    const access = accessOf(grants, caller, name);
    const open = stores.get(name);
    if (open === undefined || access === 'none') throw this.refusedStore(caller, name, open !== undefined);
    const standing = {
      loggedIn: caller.principal !== undefined,
      canLogIn: authenticator.canLogIn,
      ceiling: this.ceilingOf(caller),
    };
    const limited = new Limited(open.store, turns, turnsKey(caller));
    const allowed = new Policy(limited, access, standing);
    return trail === undefined ? allowed : new Audited(allowed, trail, { caller, store: name });
  }

  private admit(caller: Caller): Caller {
    try {
      requireListener(this.options.grants, caller);
      return caller;
    } catch (error) {
      return this.refuseLogin(caller, error);
    }
  }

  private refuseLogin(caller: Caller, error: unknown): never {
    const { code, message } = StoreError.from(error);
    const subject = { caller, store: '' };
    this.options.trail?.record(auditEntry(subject, { operation: 'login', outcome: 'refused', code, reason: message }));
    throw error;
  }

  /** Where people can log in, who has nothing of a store isn't told whether there is one of that name. */
  private refusedStore(caller: Caller, name: string, exists: boolean): StoreError {
    const { trail } = this.options;
    const error = this.whyNone(caller, name, exists);
    const { code, message } = error;
    if (code !== 'not_found') {
      const subject = { caller, store: name };
      trail?.record(auditEntry(subject, { operation: 'open', outcome: 'refused', code, reason: message }));
    }
    return error;
  }

  private whyNone(caller: Caller, name: string, exists: boolean): StoreError {
    if (this.ceilingOf(caller) === 'none') return notThisWay();
    if (this.options.authenticator.canLogIn) return noStoreOfYours(caller, name);
    return exists ? notThisWay() : noSuchStore(name);
  }

  private ceilingOf({ peer }: Caller): Access {
    return this.options.grants.maxAccess.get(peer.listener) ?? 'none';
  }
}

/** Whose limits count: the principal's, or those of the address where nobody logged in. */
function turnsKey({ principal, peer }: Caller): string {
  return principal === undefined ? `address ${addressGroup(peer.address)}` : `principal ${principal}`;
}

function notThisWay(): StoreError {
  return new StoreError('permission_denied', 'not allowed to use a store by way of this address');
}

function noSuchStore(name: string): StoreError {
  const text =
    name === '' ? 'no store at this address: the stores here have names' : `no store ${JSON.stringify(name)} here`;
  return new StoreError('not_found', `${text}; ask the gateway's operator which there are`);
}

function noStoreOfYours({ principal }: Caller, name: string): StoreError {
  const store = name === '' ? 'a store without a name' : `a store ${JSON.stringify(name)}`;
  if (principal === undefined) {
    return new StoreError('unauthenticated', `log in to use ${store}: nobody may use one here without`);
  }
  return new StoreError(
    'permission_denied',
    `no access to ${store}: there is none, or the gateway's operator grants you nothing of it`,
  );
}
