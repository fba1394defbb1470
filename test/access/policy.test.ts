import { expect } from 'chai';
import { accessLevels, allows, type Access } from '../../src/core/access.js';
import { objectKinds, type ObjectRef } from '../../src/core/object.js';
import type { Store } from '../../src/core/store.js';
import { Policy, type Standing } from '../../src/access/policy.js';
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

/** What each operation needs, as the issue of access is decided: locks come and go with whoever may write. */
function needed(operation: string, { kind }: ObjectRef): Access {
  if (operation === 'delete') return kind === 'lock' ? 'append' : 'full';
  return operation.endsWith('put') ? 'append' : 'read-only';
}

/** Where nobody can log in. */
const open: Standing = { loggedIn: false, canLogIn: false, ceiling: 'full' };
const nobody: Standing = { loggedIn: false, canLogIn: true, ceiling: 'full' };
const principal: Standing = { loggedIn: true, canLogIn: true, ceiling: 'full' };

const memory = (): MemoryStore => new MemoryStore(Buffer.alloc(48), 1000);

describe('Policy', () => {
  for (const access of accessLevels) {
    for (const [name, operation] of Object.entries(operations)) {
      for (const kind of objectKinds) {
        const allowed = allows(access, needed(name, { kind } as ObjectRef));
        it(`${allowed ? 'allows' : 'refuses'} ${name} of a ${kind} to ${access}`, async () => {
          const inner = memory();
          const ref = newRef(kind);
          await putAll(inner, ref, makeObject(kind, 100));
          const result = operation(new Policy(inner, access, open), ref);
          if (allowed) {
            await result;
            return;
          }
          const error = await expectFailure(result, 'permission_denied');
          expect(error.message).to.include(`your access to this store is ${access}`).and.to.include(needed(name, ref));
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
    const store = new Policy(memory(), 'read-only', open);
    await expectFailure(store.put(newRef('state'), body(), ctx), 'permission_denied');
    expect(read).to.equal(false);
  });

  it('narrows what the store says the caller may do, and never widens it', () => {
    const inner = memory();
    for (const access of accessLevels) expect(new Policy(inner, access, open).info().access).to.equal(access);
    expect(new Policy(new Policy(inner, 'append', open), 'full', open).info().access).to.equal('append');
  });

  it('tells where nobody can log in with which option the operator grants more', async () => {
    const put = (store: Store) => failure(putAll(store, newRef('lock'), makeObject('lock', 100)));
    const remove = (store: Store) => failure(store.delete(newRef('state'), ctx));
    expect((await put(new Policy(memory(), 'read-only', open))).message).to.equal(
      'not allowed to put locks: your access to this store is read-only, and that needs append, ' +
        "which the gateway's operator grants with --allow-write",
    );
    expect((await remove(new Policy(memory(), 'append', open))).message).to.equal(
      'not allowed to delete states: your access to this store is append, and that needs full, ' +
        "which the gateway's operator grants with --allow-delete",
    );
  });

  for (const [name, operation] of Object.entries(operations)) {
    it(`asks whoever could log in to do so, for ${name}`, async () => {
      const ref = newRef('packfile');
      const error = await expectFailure(operation(new Policy(memory(), 'none', nobody), ref), 'unauthenticated');
      expect(error.message).to.match(
        /^not allowed to .*, log in: your access to this store without is none, and that /,
      );
      expect(error.message)
        .to.include(`needs ${needed(name, ref)}`)
        .and.to.not.include('--allow');
    });

    it(`tells a principal that the configuration would have to grant ${name}`, async () => {
      const ref = newRef('packfile');
      const error = await expectFailure(operation(new Policy(memory(), 'none', principal), ref), 'permission_denied');
      expect(error.message).to.include("which the gateway's operator grants in the configuration");
    });
  }

  it('asks nobody to log in for what the address allows to nobody', async () => {
    for (const standing of [nobody, principal]) {
      const store = new Policy(memory(), 'append', { ...standing, ceiling: 'append' });
      const { message } = await expectFailure(store.delete(newRef('state'), ctx), 'permission_denied');
      expect(message).to.equal(
        'not allowed to delete states: that needs full, and by way of this address nobody has more than append',
      );
    }
  });

  it('lets readers wait for nothing but the store', () => {
    const inner = memory();
    const promises = { stat: new Promise<never>(() => undefined), get: new Promise<never>(() => undefined) };
    inner.stat = () => promises.stat;
    inner.get = () => promises.get;
    const store = new Policy(inner, 'read-only', open);
    expect(store.stat(newRef('state'), ctx)).to.equal(promises.stat);
    expect(store.get(newRef('state'), undefined, ctx)).to.equal(promises.get);
  });
});
