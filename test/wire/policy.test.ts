import { expect } from 'chai';
import { Access, type GetStoreInfoResponse } from '../../gen/kloset/store/v1/store.js';
import type { Settings } from '../../src/config/config.js';
import { objectKinds, type ObjectKind, type ObjectRef } from '../../src/core/object.js';
import type { Store } from '../../src/core/store.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { GrpcStore, unary } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../support/store.js';
import { fixtureStore } from '../support/temp.js';
import { fingerprint } from './support/folders.js';

const protocols: Readonly<Record<string, (gateway: TestGateway) => Store>> = {
  HTTP: ({ httpPort }) => new HttpStore(httpPort),
  gRPC: ({ grpcPort }) => new GrpcStore(grpcPort),
};

const sizes: Record<ObjectKind, number> = { packfile: 2_000_000, state: 2000, lock: 124 };

for (const [protocol, connect] of Object.entries(protocols)) {
  describe(`Access through ${protocol}`, () => {
    let folder: string;
    let gateway: TestGateway;
    let store: Store;

    async function open(settings: Settings): Promise<void> {
      folder = await fixtureStore('v1.1-encrypted/store-two-snapshots');
      gateway = await startTestGateway(folder, settings);
      store = connect(gateway);
    }

    afterEach(async () => {
      await store.close();
      await gateway.close();
    });

    it('read-only: gives everything, refuses whatever writes, says why, and leaves every file as it is', async () => {
      await open({});
      const before = fingerprint(folder);
      expect(Object.keys(before)).to.have.length.greaterThan(5);
      for (const kind of objectKinds) {
        const present = (await listAll(store, kind)).map((mac) => ({ kind, mac }));
        for (const ref of present) expect((await getAll(store, ref)).length).to.be.greaterThan(47);
        const absent = newRef(kind);
        await expectRefusal(putAll(store, absent, makeObject(kind, sizes[kind])), `put ${kind}s`, 'append');
        await expectRefusal(putAll(store, absent, Buffer.alloc(0)), `put ${kind}s`, 'append');
        const neededToDelete = kind === 'lock' ? 'append' : 'full';
        await expectRefusal(store.delete(absent, ctx), `delete ${kind}s`, neededToDelete);
        for (const ref of present) {
          await expectRefusal(putAll(store, ref, await getAll(store, ref)), `put ${kind}s`, 'append');
          await expectRefusal(putAll(store, ref, makeObject(kind, 100)), `put ${kind}s`, 'append');
          await expectRefusal(store.delete(ref, ctx), `delete ${kind}s`, neededToDelete);
        }
      }
      expect(fingerprint(folder)).to.deep.equal(before);
      expect(await accessToldOf(gateway)).to.equal(Access.ACCESS_READ_ONLY);
    });

    it('append: lets callers add, repeat, and handle locks, and never change or remove what is there', async () => {
      await open({ 'allow-write': true });
      const before = fingerprint(folder);
      for (const kind of ['packfile', 'state'] as const) {
        const [old] = (await listAll(store, kind)).map((mac): ObjectRef => ({ kind, mac }));
        if (old === undefined) throw new Error(`no ${kind} in the fixture`);
        const added = newRef(kind);
        const bytes = makeObject(kind, sizes[kind]);
        await putAll(store, added, bytes);
        await putAll(store, added, bytes);
        await putAll(store, old, await getAll(store, old));
        for (const ref of [old, added]) {
          const there = await getAll(store, ref);
          await expectFailure(putAll(store, ref, makeObject(kind, sizes[kind], 'other')), 'already_exists');
          await expectFailure(putAll(store, ref, there.subarray(0, -1)), 'already_exists');
          await expectRefusal(store.delete(ref, ctx), `delete ${kind}s`, 'full');
          expect((await getAll(store, ref)).equals(there)).to.equal(true);
        }
      }
      const lock = newRef('lock');
      await putAll(store, lock, makeObject('lock', 124, 'taken'));
      await putAll(store, lock, makeObject('lock', 125, 'refreshed'));
      expect((await getAll(store, lock)).equals(makeObject('lock', 125, 'refreshed'))).to.equal(true);
      await store.delete(lock, ctx);
      await store.delete(lock, ctx);
      expect(await listAll(store, 'lock')).to.not.include(lock.mac);
      expectUntouched(fingerprint(folder), before);
      expect(await accessToldOf(gateway)).to.equal(Access.ACCESS_APPEND);
    });

    it('full: lets callers delete, too, and still never change a packfile or a state', async () => {
      await open({ 'allow-delete': true });
      for (const kind of objectKinds) {
        const ref = newRef(kind);
        await putAll(store, ref, makeObject(kind, sizes[kind]));
        if (kind !== 'lock') {
          await expectFailure(putAll(store, ref, makeObject(kind, sizes[kind], 'other')), 'already_exists');
        }
        for (const each of [ref, ...(await listAll(store, kind)).map((mac) => ({ kind, mac }))]) {
          await store.delete(each, ctx);
          await store.delete(each, ctx);
          await expectFailure(store.get(each, undefined, ctx), 'not_found');
        }
        expect(await listAll(store, kind)).to.deep.equal([]);
        await putAll(store, ref, makeObject(kind, sizes[kind], 'other'));
      }
      expect((await store.config(ctx)).length).to.be.greaterThan(47);
      expect(await accessToldOf(gateway)).to.equal(Access.ACCESS_FULL);
    });
  });
}

/** A refusal tells a person what was not allowed, what access there is, and what it would take. */
async function expectRefusal(work: Promise<unknown>, what: string, needed: string): Promise<void> {
  const { message } = await expectFailure(work, 'permission_denied');
  expect(message).to.contain(`not allowed to ${what}`);
  expect(message).to.match(/your access to this store is (read-only|append)/);
  expect(message).to.contain(`needs ${needed}`);
  expect(message).to.match(/--allow-(write|delete)/);
}

/** Every file that was there is as it was. */
function expectUntouched(now: Record<string, string>, before: Record<string, string>): void {
  for (const [name, print] of Object.entries(before)) {
    if (!print.endsWith('no file')) expect(now[name], name).to.equal(print);
  }
}

async function accessToldOf({ grpcPort }: TestGateway): Promise<Access> {
  const { client } = new GrpcStore(grpcPort);
  const info = await unary<GetStoreInfoResponse>((done) => client.getStoreInfo({ store: '' }, done));
  client.close();
  return info.access;
}
