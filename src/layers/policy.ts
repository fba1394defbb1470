import { allows, type Access } from '../core/access.js';
import { StoreError } from '../core/errors.js';
import type { Mac, ObjectKind, ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectRead, ObjectStat, OpContext, PutResult, Store, StoreInfo } from '../core/store.js';

/** How an operator gives each level, for the person who reads a refusal. */
const grantedBy = { 'read-only': 'at all', append: 'with --allow-write', full: 'with --allow-delete' } as const;

/**
 * A store as a caller with this access has it. The only place where access is decided: frontends get stores that are wrapped
 * in one. Packfiles and states are what "delete" protects. Locks come and go with every backup, so whoever may write may
 * also delete them: a client whose backup finds a stale lock that it can't delete fails.
 */
export class Policy implements Store {
  constructor(
    private readonly inner: Store,
    private readonly access: Access,
  ) {}

  info(): StoreInfo {
    const info = this.inner.info();
    return allows(info.access, this.access) ? { ...info, access: this.access } : info;
  }

  async config(ctx: OpContext): Promise<Uint8Array> {
    this.require('read-only', 'to read this store');
    return this.inner.config(ctx);
  }

  async *list(kind: ObjectKind, ctx: OpContext): AsyncGenerator<readonly Mac[], void, undefined> {
    this.require('read-only', `to list ${kind}s`);
    yield* this.inner.list(kind, ctx);
  }

  async stat(ref: ObjectRef, ctx: OpContext): Promise<ObjectStat> {
    this.require('read-only', `to read ${ref.kind}s`);
    return this.inner.stat(ref, ctx);
  }

  async get(ref: ObjectRef, range: ByteRange | undefined, ctx: OpContext): Promise<ObjectRead> {
    this.require('read-only', `to read ${ref.kind}s`);
    return this.inner.get(ref, range, ctx);
  }

  async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    this.require('append', `to put ${ref.kind}s`);
    return this.inner.put(ref, body, ctx);
  }

  async delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    this.require(ref.kind === 'lock' ? 'append' : 'full', `to delete ${ref.kind}s`);
    return this.inner.delete(ref, ctx);
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  private require(needed: keyof typeof grantedBy, what: string): void {
    if (allows(this.access, needed)) return;
    throw new StoreError(
      'permission_denied',
      `not allowed ${what}: your access to this store is ${this.access}, and that needs ${needed}, ` +
        `which the gateway's operator grants ${grantedBy[needed]}`,
    );
  }
}
