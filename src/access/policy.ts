import { allows, type Access } from '../core/access.js';
import { StoreError } from '../core/errors.js';
import type { ObjectKind, ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectStat, OpContext, PutResult, Store, StoreInfo } from '../core/store.js';
import { Layer } from '../layers/layer.js';

/** Where an access comes from: it decides what a refusal says. */
export interface Standing {
  /** Whether the caller is a principal. */
  readonly loggedIn: boolean;
  /** Whether callers like this one can log in here. */
  readonly canLogIn: boolean;
  /** The most that anybody may do who comes this way. */
  readonly ceiling: Access;
}

type Needed = Exclude<Access, 'none'>;

/** How an operator gives each level where nobody can log in, for the person who reads a refusal. */
const grantedBy = { 'read-only': 'at all', append: 'with --allow-write', full: 'with --allow-delete' } as const;

/**
 * Why a caller doesn't get what it asks for: `unauthenticated` where it is nobody and could be someone, else
 * `permission_denied`.
 *
 * @param what what it would do, as in `to put states`
 */
export function refusal(access: Access, needed: Needed, what: string, standing: Standing): StoreError {
  const { loggedIn, canLogIn, ceiling } = standing;
  if (!allows(ceiling, needed)) {
    const text = `not allowed ${what}: that needs ${needed}, and by way of this address nobody has more than ${ceiling}`;
    return new StoreError('permission_denied', text);
  }
  if (!loggedIn && canLogIn) {
    const text = `not allowed ${what}, log in: your access to this store without is ${access}, and that needs ${needed}`;
    return new StoreError('unauthenticated', text);
  }
  return new StoreError(
    'permission_denied',
    `not allowed ${what}: your access to this store is ${access}, and that needs ${needed}, ` +
      `which the gateway's operator grants ${loggedIn ? 'in the configuration' : grantedBy[needed]}`,
  );
}

/**
 * A store as a caller with this access has it. The only place where access is decided: frontends get stores that are wrapped
 * in one. Packfiles and states are what "delete" protects. Locks come and go with every backup, so whoever may write may
 * also delete them: a client whose backup finds a stale lock that it can't delete fails.
 */
export class Policy extends Layer {
  private readonly mayRead: boolean;

  constructor(
    inner: Store,
    private readonly access: Access,
    private readonly standing: Standing,
  ) {
    super(inner);
    this.mayRead = allows(access, 'read-only');
  }

  override info(): StoreInfo {
    const info = this.inner.info();
    return allows(info.access, this.access) ? { ...info, access: this.access } : info;
  }

  override config(ctx: OpContext): Promise<Uint8Array> {
    return this.mayRead ? this.inner.config(ctx) : this.refuse('read-only', 'to read this store');
  }

  override list(kind: ObjectKind, ctx: OpContext): ReturnType<Store['list']> {
    return this.mayRead ? this.inner.list(kind, ctx) : this.refusedList(`to list ${kind}s`);
  }

  override stat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat> {
    return this.mayRead ? this.inner.stat(ref, ctx) : this.refuse('read-only', `to read ${ref.kind}s`);
  }

  override get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): ReturnType<Store['get']> {
    return this.mayRead ? this.inner.get(ref, range, ctx) : this.refuse('read-only', `to read ${ref.kind}s`);
  }

  override put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    if (!allows(this.access, 'append')) return this.refuse('append', `to put ${ref.kind}s`);
    return this.inner.put(ref, body, ctx);
  }

  override delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    const needed = ref.kind === 'lock' ? 'append' : 'full';
    if (!allows(this.access, needed)) return this.refuse(needed, `to delete ${ref.kind}s`);
    return this.inner.delete(ref, ctx);
  }

  private refuse(needed: Needed, what: string): Promise<never> {
    return Promise.reject(refusal(this.access, needed, what, this.standing));
  }

  private async *refusedList(what: string): AsyncGenerator<never, void, undefined> {
    throw refusal(this.access, 'read-only', what, this.standing);
  }
}
