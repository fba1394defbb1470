import { hasRight, higher, lower, type Access, type Right } from '../core/access.js';
import { StoreError } from '../core/errors.js';
import type { ObjectKind, ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectRead, ObjectStat, OpContext, PutResult, Store, StoreInfo } from '../core/store.js';
import { Layer } from '../layers/layer.js';

/** What a caller may do with a store, and what a refusal needs to explain it. */
export interface Permission {
  readonly access: Access;
  /** The most that callers of this listener may do. */
  readonly maxAccess: Access;
  /** Whether the caller is a principal. */
  readonly isLoggedIn: boolean;
  /** Whether the gateway has principals at all. */
  readonly canLogIn: boolean;
}

/** The usual level with a right. */
const usualLevels: Readonly<Record<Right, Access>> = {
  read: 'read-only',
  'read-packfiles': 'read-only',
  append: 'append',
  delete: 'full',
};

/** The options that grant a level when the gateway has no principals. */
const optionsFor: Readonly<Partial<Record<Access, string>>> = {
  append: 'with --allow-write',
  full: 'with --allow-delete',
};

/**
 * A store decorator that allows what a caller's access level allows. This is the only place where operations are authorised: frontends
 * only get stores that are wrapped in it. Callers that may put locks may also delete them, because a client whose backup can't delete a stale
 * lock fails.
 */
export class Policy extends Layer {
  constructor(
    inner: Store,
    private readonly permission: Permission,
  ) {
    super(inner);
  }

  override info(): StoreInfo {
    const info = this.inner.info();
    const { access } = this.permission;
    return { ...info, access: lower(info.access, access) };
  }

  override async config(ctx: OpContext): Promise<Uint8Array> {
    this.require('read', 'to read this store');
    return this.inner.config(ctx);
  }

  override async *list(kind: ObjectKind, ctx: OpContext): ReturnType<Store['list']> {
    this.require('read', `to list ${kind}s`);
    yield* this.inner.list(kind, ctx);
  }

  override async stat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat> {
    this.requireToRead(ref);
    return this.inner.stat(ref, ctx);
  }

  override async get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead> {
    this.requireToRead(ref);
    return this.inner.get(ref, range, ctx);
  }

  override async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    this.require('append', `to put ${ref.kind}s`);
    return this.inner.put(ref, body, ctx);
  }

  override async delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    this.require(ref.kind === 'lock' ? 'append' : 'delete', `to delete ${ref.kind}s`);
    return this.inner.delete(ref, ctx);
  }

  private requireToRead({ kind }: ObjectRef): void {
    this.require(kind === 'packfile' ? 'read-packfiles' : 'read', `to read ${kind}s`);
  }

  private require(right: Right, what: string): void {
    if (!hasRight(this.permission.access, right)) throw refusal(this.permission, right, what);
  }
}

/** `unauthenticated` if logging in could help, else `permission_denied`. */
function refusal({ access, maxAccess, isLoggedIn, canLogIn }: Permission, right: Right, what: string): StoreError {
  const needed = higher(access, usualLevels[right]);
  if (!hasRight(maxAccess, right)) {
    const text = `not allowed ${what}: this needs ${needed} access; this listener allows at most ${maxAccess}`;
    return new StoreError('permission_denied', text);
  }
  if (!isLoggedIn && canLogIn) {
    const text = `not allowed ${what} without a login: this needs ${needed} access; anonymous access is ${access}`;
    return new StoreError('unauthenticated', text);
  }
  return new StoreError(
    'permission_denied',
    `not allowed ${what}: your access to this store is ${access}, and that needs ${needed}, ` +
      `which the gateway's operator grants ${(!isLoggedIn && optionsFor[needed]) || 'in the configuration'}`,
  );
}
