import { expect } from 'chai';
import type { Access } from '../../src/core/access.js';
import type { ActivitySink } from '../../src/core/activity.js';
import type { AuditEntry } from '../../src/core/audit.js';
import { StoreError } from '../../src/core/errors.js';
import { objectKinds } from '../../src/core/object.js';
import type { Store } from '../../src/core/store.js';
import { auditEntry, Audited } from '../../src/layers/audited.js';
import { Policy } from '../../src/access/policy.js';
import { MemoryStore } from '../support/memory-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../support/store.js';

const caller = { principal: 'web-1', peer: { listener: 'lan', address: '192.0.2.7' } };
const subject = { caller, store: 'teams/blue' };

describe('Audited', () => {
  let inner: MemoryStore;
  let entries: AuditEntry[];
  let reads: unknown[];

  beforeEach(() => {
    inner = new MemoryStore(Buffer.alloc(48), 1000);
    entries = [];
    reads = [];
  });

  const activity: ActivitySink = {
    record: (entry) => void entries.push(entry),
    read: (...read) => void reads.push(read),
  };
  const audited = (store: Store): Store => new Audited(store, activity, subject);
  const withAccess = (access: Access): Store =>
    audited(new Policy(inner, { access, maxAccess: 'full', isLoggedIn: true, canLogIn: true }));

  /** The entries so far, without what they have in common. */
  function events(): object[] {
    return entries.splice(0).map(({ time, principal, address, listener, store, ...event }) => {
      expect(new Date(time).toISOString()).to.equal(time);
      expect({ principal, address, listener, store }).to.deep.equal({
        principal: 'web-1',
        address: '192.0.2.7',
        listener: 'lan',
        store: 'teams/blue',
      });
      return event;
    });
  }

  for (const kind of objectKinds) {
    it(`records puts and deletes of a ${kind}, with what came of them`, async () => {
      const store = withAccess('full');
      const ref = newRef(kind);
      await putAll(store, ref, makeObject(kind, 100));
      await putAll(store, ref, makeObject(kind, 100));
      await store.delete(ref, ctx);
      const put = { operation: 'put', ...ref, bytes: 100 };
      expect(events()).to.deep.equal([
        { ...put, outcome: kind === 'lock' ? 'stored' : 'created' },
        { ...put, outcome: kind === 'lock' ? 'stored' : 'unchanged' },
        { operation: 'delete', ...ref, outcome: 'deleted' },
      ]);
    });
  }

  it('records which objects went to the trash', async () => {
    const info = inner.info();
    inner.info = () => ({ ...info, trashMs: 1 });
    const store = withAccess('full');
    for (const kind of objectKinds) await store.delete(newRef(kind), ctx);
    const outcomes = { packfile: 'trashed', state: 'trashed', lock: 'deleted' };
    expect(entries.map(({ kind = 'lock', outcome }) => [kind, outcome])).to.deep.equal(
      objectKinds.map((kind) => [kind, outcomes[kind]]),
    );
  });

  it('records uploads that failed, with the reason, and how far they came', async () => {
    const store = withAccess('full');
    const ref = newRef('state');
    await putAll(store, ref, makeObject('state', 100));
    events();
    await expectFailure(putAll(store, ref, makeObject('state', 100, 'other')), 'already_exists');
    await expectFailure(putAll(store, ref, Buffer.alloc(700), 100), 'invalid_argument');
    async function* cutOff(): AsyncGenerator<Uint8Array> {
      yield makeObject('state', 60);
      throw new StoreError('canceled', 'the request was canceled');
    }
    await expectFailure(store.put(ref, cutOff(), ctx), 'canceled');
    const put = { operation: 'put', ...ref, outcome: 'failed' };
    expect(events()).to.deep.equal([
      { ...put, code: 'already_exists', reason: 'other bytes are stored', bytes: 100 },
      {
        ...put,
        code: 'invalid_argument',
        reason: "not a state: it doesn't start like an object of a Kloset store",
        bytes: 100,
      },
      { ...put, code: 'canceled', reason: 'the request was canceled', bytes: 60 },
    ]);
  });

  it('records every refusal, also of reads, with the text that the caller got', async () => {
    const store = withAccess('none');
    const ref = newRef('packfile');
    const told: string[] = [];
    const refused = async (work: unknown): Promise<void> => {
      told.push((await expectFailure(work, 'permission_denied')).message);
    };
    await refused(store.config(ctx));
    await refused(listAll(store, 'packfile'));
    await refused(store.stat(ref, ctx));
    await refused(store.get(ref, undefined, ctx));
    await refused(putAll(store, ref, makeObject('packfile', 100)));
    await refused(store.delete(ref, ctx));
    const refusal = { outcome: 'refused', code: 'permission_denied' };
    expect(events()).to.deep.equal([
      { operation: 'config', ...refusal, reason: told[0] },
      { operation: 'list', kind: 'packfile', ...refusal, reason: told[1] },
      { operation: 'stat', ...ref, ...refusal, reason: told[2] },
      { operation: 'get', ...ref, ...refusal, reason: told[3] },
      { operation: 'put', ...ref, ...refusal, reason: told[4], bytes: 0 },
      { operation: 'delete', ...ref, ...refusal, reason: told[5] },
    ]);
  });

  it('records a refusal that asks for a login, of an anonymous caller', async () => {
    const policy = new Policy(inner, { access: 'read-only', maxAccess: 'full', isLoggedIn: false, canLogIn: true });
    const store = new Audited(policy, activity, { ...subject, caller: { ...caller, principal: undefined } });
    await expectFailure(store.delete(newRef('lock'), ctx), 'unauthenticated');
    expect(entries).to.have.length(1);
    expect(entries[0]).to.include({ principal: 'anonymous', outcome: 'refused', code: 'unauthenticated' });
  });

  it('records no reads that succeed, or find nothing', async () => {
    const store = withAccess('read-only');
    const ref = newRef('state');
    await putAll(inner, ref, makeObject('state', 100));
    await store.config(ctx);
    await listAll(store, 'state');
    await store.stat(ref, ctx);
    await getAll(store, ref);
    await expectFailure(store.stat(newRef('state'), ctx), 'not_found');
    await expectFailure(store.get(newRef('state'), undefined, ctx), 'not_found');
    expect(events()).to.deep.equal([]);
  });

  it('counts what is read of objects, by caller and store', async () => {
    const store = withAccess('read-only');
    const ref = newRef('packfile');
    await putAll(inner, ref, makeObject('packfile', 100));
    await getAll(store, ref);
    await getAll(store, ref, { offset: 90, length: 50 });
    await expectFailure(store.get(newRef('packfile'), undefined, ctx), 'not_found');
    expect(reads).to.deep.equal([
      ['teams/blue', 'web-1', '192.0.2.7', 100],
      ['teams/blue', 'web-1', '192.0.2.7', 10],
    ]);
  });

  it('has no detail that only the program log may have', async () => {
    inner.delete = () => Promise.reject(new Error("ENOENT: no such file, unlink '/srv/kloset/locks/x'"));
    const store = withAccess('full');
    await store.delete(newRef('lock'), ctx).catch(() => undefined);
    expect(JSON.stringify(entries)).to.not.include('/srv');
    expect(events()[0]).to.include({ outcome: 'failed', code: 'internal', reason: 'internal error' });
  });

  it('asks the store for nothing but the put itself, of locks either', async () => {
    inner.stat = () => Promise.reject(new Error('stat was called'));
    await putAll(audited(inner), newRef('lock'), makeObject('lock', 100));
    expect(events()).to.have.length(1);
  });

  it('has entries for refusals without a store', () => {
    const entry = auditEntry(
      { caller, store: '' },
      { operation: 'login', outcome: 'refused', code: 'unauthenticated' },
    );
    expect(entry).to.include({
      operation: 'login',
      principal: 'web-1',
      address: '192.0.2.7',
      listener: 'lan',
      store: '',
    });
  });
});
