import { expect } from 'chai';
import { accessLevels, type Access } from '../../src/core/access.js';
import { objectKinds, type ObjectKind, type ObjectRef } from '../../src/core/object.js';
import type { Store } from '../../src/core/store.js';
import { Policy, type Permission } from '../../src/access/policy.js';
import { MemoryStore } from '../support/memory-store.js';
import { inChunks, makeObject, newRef } from '../support/objects.js';
import { ctx, expectFailure, failure, getAll, listAll, putAll } from '../support/store.js';

type Operation = (store: Store, ref: ObjectRef) => Promise<unknown>;

const operations: Record<string, Operation> = {
  config: (store) => store.config(ctx),
  list: (store, { kind }) => listAll(store, kind),
  stat: (store, ref) => store.stat(ref, ctx),
  get: (store, ref) => getAll(store, ref),
  put: (store, ref) => putAll(store, newRef(ref.kind), makeObject(ref.kind, 100)),
  're-put': (store, ref) => putAll(store, ref, makeObject(ref.kind, 100)),
  delete: (store, ref) => store.delete(ref, ctx),
};

/** Who may do what. Callers that may write may also delete locks. */
function isAllowed(operation: string, kind: ObjectKind, access: Access): boolean {
  if (operation === 'delete' && kind !== 'lock') return access === 'full';
  if (operation === 'delete' || operation.endsWith('put')) return ['write-only', 'append', 'full'].includes(access);
  if ((operation === 'get' || operation === 'stat') && kind === 'packfile')
    return ['read-only', 'append', 'full'].includes(access);
  return access !== 'none';
}

/** The level that a refusal names. */
function needed(operation: string, { kind }: Pick<ObjectRef, 'kind'>, access: Access = 'none'): Access {
  if (operation === 'delete' && kind !== 'lock') return 'full';
  // Whoever may write, and wants to read packfiles, too.
  if (operation === 'delete' || operation.endsWith('put') || access === 'write-only') return 'append';
  return 'read-only';
}

type Who = Omit<Permission, 'access'>;

/** Where there are no principals. */
const open: Who = { isLoggedIn: false, canLogIn: false, maxAccess: 'full' };
const anonymous: Who = { isLoggedIn: false, canLogIn: true, maxAccess: 'full' };
const principal: Who = { isLoggedIn: true, canLogIn: true, maxAccess: 'full' };

const policy = (inner: Store, access: Access, who: Who): Policy => new Policy(inner, { ...who, access });
const memory = (): MemoryStore => new MemoryStore(Buffer.alloc(48), 1000);

describe('Policy', () => {
  for (const access of accessLevels) {
    for (const [name, operation] of Object.entries(operations)) {
      for (const kind of objectKinds) {
        const allowed = isAllowed(name, kind, access);
        it(`${allowed ? 'allows' : 'refuses'} ${name} of a ${kind} to ${access}`, async () => {
          const inner = memory();
          const ref = newRef(kind);
          await putAll(inner, ref, makeObject(kind, 100));
          const result = operation(policy(inner, access, open), ref);
          if (allowed) {
            await result;
            return;
          }
          const error = await expectFailure(result, 'permission_denied');
          expect(error.message)
            .to.include(`your access to this store is ${access}`)
            .and.to.include(`needs ${needed(name, ref, access)},`);
          expect(await listAll(inner, kind)).to.deep.equal([ref.mac]);
        });
      }
    }
  }

  it('does not read the body of a put that it refuses', async () => {
    let read = false;
    async function* body(): AsyncGenerator<Uint8Array> {
      read = true;
      yield* inChunks(makeObject('state', 100));
    }
    const store = policy(memory(), 'read-only', open);
    await expectFailure(store.put(newRef('state'), body(), ctx), 'permission_denied');
    expect(read).to.equal(false);
  });

  it('narrows what the store says the caller may do, and never widens it', () => {
    const inner = memory();
    for (const access of accessLevels) expect(policy(inner, access, open).info().access).to.equal(access);
    expect(policy(policy(inner, 'append', open), 'full', open).info().access).to.equal('append');
  });

  it('names the option that grants more, where there are no principals', async () => {
    const put = (store: Store) => failure(putAll(store, newRef('lock'), makeObject('lock', 100)));
    const remove = (store: Store) => failure(store.delete(newRef('state'), ctx));
    expect((await put(policy(memory(), 'read-only', open))).message).to.equal(
      'not allowed to put locks: your access to this store is read-only, and that needs append, ' +
        "which the gateway's operator grants with --allow-write",
    );
    expect((await remove(policy(memory(), 'append', open))).message).to.equal(
      'not allowed to delete states: your access to this store is append, and that needs full, ' +
        "which the gateway's operator grants with --allow-delete",
    );
  });

  for (const [name, operation] of Object.entries(operations)) {
    it(`asks anonymous callers to log in, for ${name}`, async () => {
      const ref = newRef('packfile');
      const error = await expectFailure(operation(policy(memory(), 'none', anonymous), ref), 'unauthenticated');
      expect(error.message).to.match(/^not allowed to .* without a login: .*; anonymous access is none$/);
      expect(error.message)
        .to.include(`this needs ${needed(name, ref)} access`)
        .and.to.not.include('--allow');
    });

    it(`tells a principal that the configuration has to grant ${name}`, async () => {
      const ref = newRef('packfile');
      const error = await expectFailure(operation(policy(memory(), 'none', principal), ref), 'permission_denied');
      expect(error.message).to.include("which the gateway's operator grants in the configuration");
    });
  }

  it('asks no caller to log in for what the listener allows to none', async () => {
    for (const who of [anonymous, principal]) {
      const store = policy(memory(), 'append', { ...who, maxAccess: 'append' });
      const { message } = await expectFailure(store.delete(newRef('state'), ctx), 'permission_denied');
      expect(message).to.equal(
        'not allowed to delete states: this needs full access; this listener allows at most append',
      );
    }
  });
});
