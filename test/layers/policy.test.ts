import { expect } from 'chai';
import { accessLevels, allows, type Access } from '../../src/core/access.js';
import { objectKinds, type ObjectRef } from '../../src/core/object.js';
import type { Store } from '../../src/core/store.js';
import { Policy } from '../../src/layers/policy.js';
import { MemoryStore } from '../support/memory-store.js';
import { inChunks, makeObject, newRef } from '../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../support/store.js';

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

describe('Policy', () => {
  for (const access of accessLevels) {
    for (const [name, operation] of Object.entries(operations)) {
      for (const kind of objectKinds) {
        const allowed = allows(access, needed(name, { kind } as ObjectRef));
        it(`${allowed ? 'allows' : 'refuses'} ${name} of a ${kind} to ${access}`, async () => {
          const inner = new MemoryStore(Buffer.alloc(48), 1000);
          const ref = newRef(kind);
          await putAll(inner, ref, makeObject(kind, 100));
          const result = operation(new Policy(inner, access), ref);
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
    const store = new Policy(new MemoryStore(Buffer.alloc(48), 1000), 'read-only');
    await expectFailure(store.put(newRef('state'), body(), ctx), 'permission_denied');
    expect(read).to.equal(false);
  });

  it('narrows what the store says the caller may do, and never widens it', () => {
    const inner = new MemoryStore(Buffer.alloc(48), 1000);
    for (const access of accessLevels) expect(new Policy(inner, access).info().access).to.equal(access);
    expect(new Policy(new Policy(inner, 'append'), 'full').info().access).to.equal('append');
  });
});
