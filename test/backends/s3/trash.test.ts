import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenedStore } from '../../../src/backends/backend.js';
import type { ObjectRef } from '../../../src/core/object.js';
import type { Trash, TrashedObject } from '../../../src/core/trash.js';
import { purge } from '../../../src/server/stores/purging.js';
import { viewsOf } from '../../../src/layers/views.js';
import type { Exchange } from '../../support/fault-exchange.js';
import { FaultProxy, type Fault } from '../../support/fault-proxy.js';
import { doneButRefused, meeting, rewritten } from '../../support/faults.js';
import { silent } from '../../support/gateway.js';
import { makeObject, newRef } from '../../support/objects.js';
import { testsMinio } from '../../support/s3-programs.js';
import { s3Server, type S3Server } from '../../support/s3-server.js';
import { openS3Store } from '../../support/s3-store.js';
import { ctx, expectFailure, getAll, listAll, putAll, readAll } from '../../support/store.js';

const kinds = ['packfile', 'state'] as const;

/** More than the services' clocks tell, in milliseconds. */
const tickMs = 1100;

for (const program of ['versitygw', ...(testsMinio ? (['minio'] as const) : [])] as const)
  describe(`The trash of a store in S3, on ${program},`, function () {
    this.timeout(60_000);
    const server = s3Server({ program, versions: true });
    /** versitygw 1.8.0 doesn't: it takes a delete marker for an object, and an object whose marker was removed has just arrived. */
    const knowsMarkers = program !== 'versitygw';
    let prefix: string;
    let store: OpenedStore & { readonly trash: Trash };

    const open = async (options: Parameters<typeof openS3Store>[2] = {}): Promise<typeof store> =>
      (await openS3Store(server(), prefix, { trashes: true, ...options })) as typeof store;

    let proxy: FaultProxy;

    before(async () => {
      proxy = await FaultProxy.start(server().port);
    });

    after(() => proxy?.close());

    beforeEach(async () => {
      proxy.heal();
      prefix = await server().emptyStore();
      store = await open();
    });

    afterEach(() => store.close());

    const keyOf = ({ kind, mac }: ObjectRef): string => `${prefix}/${kind}s/${mac.slice(0, 2)}/${mac}`;

    /** Everything in it, in the order of the deletes. */
    async function trashed(from = store): Promise<TrashedObject[]> {
      const objects: TrashedObject[] = [];
      for await (const object of from.trash.list(ctx)) objects.push(object);
      return objects.sort((one, other) => one.deletedMs - other.deletedMs);
    }

    async function putAndDelete(ref: ObjectRef, size = 1000): Promise<TrashedObject> {
      await putAll(store, ref, makeObject(ref.kind, size));
      await store.delete(ref, ctx);
      const object = (await trashed()).find((each) => each.ref.mac === ref.mac);
      if (object === undefined) throw new Error('it is not in the trash');
      return object;
    }

    /** Puts what another client of the bucket does, which replaces objects. */
    async function overwrite(ref: ObjectRef, seed: string): Promise<Buffer> {
      const bytes = makeObject(ref.kind, 1000, seed);
      await server().put(keyOf(ref), bytes);
      return bytes;
    }

    /** What a purge by another replica does that has looked before. */
    async function removeVersion({ ref, id }: TrashedObject): Promise<void> {
      const { client, bucket } = server();
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: keyOf(ref), VersionId: id.split('@')[1] }));
    }

    /** How many versions and markers the bucket has below a prefix. */
    async function versionsBelow(below: string): Promise<[versions: number, markers: number]> {
      const { client, bucket } = server();
      const command = new ListObjectVersionsCommand({ Bucket: bucket, Prefix: below });
      const { Versions = [], DeleteMarkers = [] } = await client.send(command);
      return [Versions.length, DeleteMarkers.length];
    }

    for (const kind of kinds) {
      it(`has a deleted ${kind}, whole, and with the time of its arrival, which the store doesn't have any more`, async () => {
        const ref = newRef(kind);
        const bytes = makeObject(kind, 700_000);
        await putAll(store, ref, bytes);
        const { modifiedMs } = await store.stat(ref, ctx);
        await sleep(tickMs);
        const beganMs = Date.now();
        await store.delete(ref, ctx);
        await expectFailure(store.stat(ref, ctx), 'not_found');
        await expectFailure(store.get(ref, undefined, ctx), 'not_found');
        expect(await listAll(store, kind)).to.deep.equal([]);
        const [object, ...others] = await trashed();
        if (object === undefined) throw new Error('nothing is in the trash');
        expect(others).to.deep.equal([]);
        expect(object).to.deep.include({ ref, stat: { size: bytes.length, modifiedMs } });
        expect(object.deletedMs).to.be.within(beganMs, Date.now() + 1000);
        expect(await store.trash.stat(object, ctx)).to.deep.equal(object.stat);
        expect(await readAll(await store.trash.get(object, undefined, ctx))).to.deep.equal(bytes);
        const range = await store.trash.get(object, { offset: 500, length: 20 }, ctx);
        expect(range.objectSize).to.equal(bytes.length);
        expect(await readAll(range)).to.deep.equal(bytes.subarray(500, 520));
        expect(await versionsBelow(keyOf(ref)), 'nothing is copied').to.deep.equal([1, 1]);
      });

      it(`gives a ${kind} back${knowsMarkers ? ', with the time of its arrival' : ''}`, async () => {
        const ref = newRef(kind);
        const object = await putAndDelete(ref);
        if (knowsMarkers) await sleep(tickMs);
        expect(await store.trash.restore(object)).to.equal(true);
        if (knowsMarkers) expect(await store.stat(ref, ctx)).to.deep.equal(object.stat);
        expect(await versionsBelow(keyOf(ref)), 'nothing is copied').to.deep.equal([1, 0]);
        expect(await getAll(store, ref)).to.deep.equal(makeObject(kind, 1000));
        expect(await trashed()).to.deep.equal([]);
        await expectFailure(store.trash.restore(object), 'not_found');
      });
    }

    it('is empty at first, and after a delete of nothing', async () => {
      expect(await trashed()).to.deep.equal([]);
      await store.delete(newRef('packfile'), ctx);
      expect(await trashed()).to.deep.equal([]);
    });

    it('never has a lock, of which the sweep removes what the bucket keeps', async () => {
      const [current, deleted] = [newRef('lock'), newRef('lock')];
      for (let time = 1; time <= 3; time++) await putAll(store, current, makeObject('lock', 100, String(time)));
      await putAll(store, deleted, makeObject('lock', 100));
      await store.delete(deleted, ctx);
      await expectFailure(store.trash.discard(current), 'invalid_argument');
      expect(await trashed()).to.deep.equal([]);
      expect(await versionsBelow(`${prefix}/locks/`)).to.deep.equal([4, 1]);
      await store.sweep?.();
      expect(await versionsBelow(`${prefix}/locks/`)).to.deep.equal([1, 0]);
      expect(await getAll(store, current)).to.deep.equal(makeObject('lock', 100, '3'));
      expect(await listAll(store, 'lock')).to.deep.equal([current.mac]);
    });

    // versitygw 1.8.0 gives versions other ids when it is asked for several deletes of one object at once.
    const deletes = knowsMarkers ? 'at once' : 'one after the other';
    it(`has an object once that is deleted by many, ${deletes}`, async () => {
      const refs = Array.from({ length: 5 }, () => newRef('packfile'));
      for (const ref of refs) await putAll(store, ref, makeObject('packfile', 1000));
      const other = await open();
      const all: Promise<void>[] = [];
      for (const each of [store, other, store]) {
        const deleting = refs.map((ref) => each.delete(ref, ctx));
        if (deletes === 'one after the other') await Promise.all(deleting);
        else all.push(...deleting);
      }
      await Promise.all(all);
      await other.close();
      expect((await trashed()).map(({ ref }) => ref.mac)).to.have.members(refs.map(({ mac }) => mac));
      for (const object of await trashed()) expect(await store.trash.restore(object)).to.equal(true);
      expect(await listAll(store, 'packfile')).to.have.members(refs.map(({ mac }) => mac));
    });

    it('gives an object back to all who ask at once', async () => {
      const object = await putAndDelete(newRef('packfile'));
      const asked = await Promise.allSettled([1, 2, 3].map(() => store.trash.restore(object)));
      expect(asked.filter((each) => each.status === 'fulfilled' && each.value)).to.not.have.length(0);
      expect(await getAll(store, object.ref)).to.deep.equal(makeObject('packfile', 1000));
      expect(await trashed()).to.deep.equal([]);
    });

    it('has what other clients of the bucket replaced, which comes back only without what is there', async () => {
      const ref = newRef('state');
      const first = makeObject('state', 1000, 'one');
      await putAll(store, ref, first);
      await sleep(tickMs);
      const second = await overwrite(ref, 'two');
      const [object] = await trashed();
      if (object === undefined) throw new Error('nothing is in the trash');
      expect(await readAll(await store.trash.get(object, undefined, ctx))).to.deep.equal(first);
      expect(await store.trash.restore(object)).to.equal(false);
      expect(await getAll(store, ref)).to.deep.equal(second);
      await store.delete(ref, ctx);
      expect(await trashed()).to.have.length(2);
    });

    it('lets the same bytes be put again', async () => {
      for (const size of [1000, 9 * 1024 * 1024]) {
        const ref = newRef('packfile');
        const object = await putAndDelete(ref, size);
        expect(await putAll(store, ref, makeObject('packfile', size))).to.equal(true);
        expect(await getAll(store, ref)).to.deep.equal(makeObject('packfile', size));
        if (!knowsMarkers) expect(await trashed()).to.not.deep.include(object);
      }
    });

    if (!knowsMarkers)
      for (const [when, order] of [
        ['before', ['purge', 'marker']],
        ['after', ['marker', 'purge']],
      ] as const)
        it(`loses no object that is put again while another replica purges it, ${when} the marker is gone`, async () => {
          const ref = newRef('packfile');
          const object = await putAndDelete(ref);
          const steps = {
            purge: () => removeVersion(object),
            marker: async (exchange: Exchange) => void (await exchange.send()).resume(),
          };
          const removal = proxy.spoil('DeleteObject', async (exchange) => {
            for (const step of order) await steps[step](exchange);
            exchange.cut();
          });
          const through = await open({ port: proxy.port });
          expect(await putAll(through, ref, makeObject('packfile', 1000))).to.equal(true);
          await through.close();
          expect(removal.hits).to.equal(1);
          expect(await getAll(store, ref)).to.deep.equal(makeObject('packfile', 1000));
        });

    it('tells that an object is gone which another replica purges while it is restored', async () => {
      const object = await putAndDelete(newRef('packfile'));
      const through = await open({ port: proxy.port });
      proxy.spoil('DeleteObject', async (exchange) => {
        await removeVersion(object);
        await exchange.forward();
      });
      await expectFailure(through.trash.restore(object), 'not_found');
      await through.close();
    });

    it('restores an object though the removal of a marker says that there is none', async () => {
      const object = await putAndDelete(newRef('packfile'));
      const through = await open({ port: proxy.port });
      proxy.spoil('DeleteObject', doneButRefused(400, 'InvalidArgument'));
      expect(await through.trash.restore(object)).to.equal(true);
      await through.close();
      expect(await getAll(store, object.ref)).to.deep.equal(makeObject('packfile', 1000));
    });

    it('removes nothing for good where the service does not say what is the latest, or says that it is', async () => {
      const [older, current] = [newRef('state'), newRef('state')];
      const object = await putAndDelete(older);
      await putAll(store, current, makeObject('state', 1000));
      await overwrite(current, 'two');
      const [below] = (await trashed()).filter(({ ref }) => ref.mac === current.mac);
      if (below === undefined) throw new Error('nothing is in the trash');
      const lock = newRef('lock');
      for (const seed of ['one', 'two']) await putAll(store, lock, makeObject('lock', 100, seed));
      const through = await open({ port: proxy.port });
      const saying = (latest: boolean): Fault =>
        rewritten((body) => body.replaceAll(/<IsLatest>\w+/g, `<IsLatest>${latest}`));
      proxy.spoil('ListObjectVersions', saying(false), { times: Infinity });
      for (const each of [object, below]) await expectFailure(through.trash.remove(each), 'unavailable');
      await through.sweep?.();
      proxy.spoil('ListObjectVersions', saying(true), { times: Infinity });
      for (const each of [object, below]) await through.trash.remove(each);
      await through.sweep?.();
      expect(await trashed(through)).to.deep.equal([]);
      expect(proxy.count('DeleteObject')).to.equal(0);
      await through.close();
    });

    it('has keys that are written as CDATA, and is an error where one was not asked for', async () => {
      const object = await putAndDelete(newRef('state'));
      const through = await open({ port: proxy.port });
      const asCdata = (body: string): string => body.replaceAll(/<Key>(.*?)<\/Key>/g, '<Key><![CDATA[$1]]></Key>');
      proxy.spoil('ListObjectVersions', rewritten(asCdata), { times: Infinity });
      expect(await trashed(through)).to.deep.equal([object]);
      for (const key of ['', 'elsewhere/states/00/1']) {
        const wrong = (body: string): string => body.replaceAll(/<Key>.*?<\/Key>/g, `<Key>${key}</Key>`);
        proxy.spoil('ListObjectVersions', rewritten(wrong), { times: Infinity });
        await expectFailure(trashed(through), 'unavailable');
      }
      await through.close();
    });

    it('has old versions of locks removed several at once', async () => {
      const lock = newRef('lock');
      for (let time = 1; time <= 5; time++) await putAll(store, lock, makeObject('lock', 100, String(time)));
      const through = await open({ port: proxy.port });
      proxy.spoil('DeleteObject', meeting(4), { times: Infinity });
      expect(await through.sweep?.()).to.equal(4);
      await through.close();
      expect(await getAll(store, lock)).to.deep.equal(makeObject('lock', 100, '5'));
    });

    it(`${knowsMarkers ? 'lets other bytes be put' : 'says what to do where other bytes are put'}`, async () => {
      const ref = newRef('packfile');
      const object = await putAndDelete(ref);
      if (knowsMarkers) {
        expect(await putAll(store, ref, makeObject('packfile', 1000, 'other'))).to.equal(true);
        expect(await trashed()).to.deep.equal([object]);
        await store.delete(ref, ctx);
        await sleep(tickMs);
        expect(await store.trash.restore(object), 'by a copy, as the other one must not be lost').to.equal(true);
        expect(await getAll(store, ref)).to.deep.equal(makeObject('packfile', 1000));
        expect(await trashed()).to.have.length(2);
        return;
      }
      const { message } = await expectFailure(putAll(store, ref, makeObject('packfile', 1000, 'other')), 'unavailable');
      expect(message).to.match(/purge that object from the trash/);
      await store.trash.remove(object);
      expect(await putAll(store, ref, makeObject('packfile', 1000, 'other'))).to.equal(true);
    });

    it('loses an object for good that is removed, with its marker, and no other', async () => {
      const [kept, removed] = [await putAndDelete(newRef('packfile')), await putAndDelete(newRef('packfile'))];
      await store.trash.remove(removed);
      await store.trash.remove(removed);
      await expectFailure(store.trash.stat(removed, ctx), 'not_found');
      await expectFailure(store.trash.get(removed, undefined, ctx), 'not_found');
      await expectFailure(store.trash.restore(removed), 'not_found');
      expect(await versionsBelow(keyOf(removed.ref))).to.deep.equal([0, 0]);
      expect(await trashed()).to.deep.equal([kept]);
    });

    it('removes nothing that was restored', async () => {
      const object = await putAndDelete(newRef('state'));
      await store.trash.restore(object);
      await store.trash.remove(object);
      expect(await getAll(store, object.ref)).to.deep.equal(makeObject('state', 1000));
    });

    it('is whole where its list takes many pages, and passes over foreign keys', async () => {
      const objects: TrashedObject[] = [];
      for (let index = 0; index < 8; index++) objects.push(await putAndDelete(newRef('packfile')));
      await putAll(store, newRef('packfile'), makeObject('packfile', 1000));
      const { client, bucket } = server();
      for (const name of ['README', 'aa/README', `aa/${newRef('state').mac}.frozen`]) {
        const at = { Bucket: bucket, Key: `${prefix}/packfiles/${name}` };
        await client.send(new PutObjectCommand({ ...at, Body: 'foreign' }));
        await client.send(new DeleteObjectCommand(at));
      }
      for (const pageKeys of [2, 3, 5]) {
        const paged = await open({ pageKeys } as object);
        expect(await trashed(paged)).to.have.deep.members(objects);
        await paged.close();
      }
    });

    it('is purged by the gateway of what has been in it for its time', async () => {
      const [kept, restored] = [await putAndDelete(newRef('packfile')), await putAndDelete(newRef('state'))];
      await store.trash.restore(restored);
      await sleep(tickMs);
      const due = await putAndDelete(newRef('state'));
      const purged: string[] = [];
      const run = (trash: Trash, latestMs: number): Promise<void> =>
        purge(
          {
            ...{ trash, name: 'blue', log: silent, trashMs: 3_600_000 },
            clock: { latestMs, now: async () => latestMs, momentOf: (ms) => ms },
            purged: ({ ref }, bytes) => void purged.push(`${ref.mac} ${bytes}`),
          },
          ctx,
        );
      await run(store.trash, kept.deletedMs + 3_600_000);
      expect(purged).to.deep.equal([`${kept.ref.mac} 1000`]);
      expect(await trashed()).to.deep.equal([due]);
      await run(store.trash, due.deletedMs + 3_600_000);
      expect(await trashed()).to.deep.equal([]);
      expect(await listAll(store, 'state')).to.deep.equal([restored.ref.mac]);
    });

    it('tells that it loses nothing for good that the bucket locks', async () => {
      const locked = Object.assign(Object.create(server()) as S3Server, { bucket: 'locked' });
      await locked.client.send(new CreateBucketCommand({ Bucket: locked.bucket, ObjectLockEnabledForBucket: true }));
      const options = { trashes: true, retentionMs: 86_400_000, s3: { tls: false, objectLock: 'compliance' as const } };
      const other = (await openS3Store(locked, await locked.emptyStore(), options)) as typeof store;
      const ref = newRef('packfile');
      await putAll(other, ref, makeObject('packfile', 1000));
      await other.delete(ref, ctx);
      const [object] = await trashed(other);
      if (object === undefined) throw new Error('nothing is in the trash');
      const { message } = await expectFailure(other.trash.remove(object), 'permission_denied');
      expect(message).to.include('under object lock');
      expect(await other.trash.restore(object)).to.equal(true);
      expect(await getAll(other, ref)).to.deep.equal(makeObject('packfile', 1000));
      await other.close();
    });

    it('can be listed up to a time', async () => {
      const first = await putAndDelete(newRef('packfile'));
      await sleep(tickMs);
      const second = await putAndDelete(newRef('state'));
      const listed: TrashedObject[] = [];
      for await (const object of store.trash.list(ctx, second.deletedMs)) listed.push(object);
      expect(listed).to.deep.equal([first]);
    });

    it('is refused where the bucket keeps no versions, with what to do', async () => {
      const version = async (Status: 'Suspended' | 'Enabled'): Promise<unknown> => {
        const { client, bucket } = server();
        return client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status } }));
      };
      await version('Suspended');
      try {
        const { message } = await expectFailure(open(), 'invalid_argument');
        expect(message).to.match(/enable versioning on the bucket, or leave out the setting `trash`/);
        const without = await open({ trashes: false });
        expect(await trashed(without)).to.deep.equal([]);
        await without.close();
      } finally {
        await version('Enabled');
      }
    });

    it('is unavailable, not empty, where the store is gone', async () => {
      const { client, bucket } = server();
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: `${prefix}/CONFIG` }));
      await expectFailure(trashed(), 'unavailable');
      const object = { ref: newRef('state'), deletedMs: 0, id: '' };
      await expectFailure(store.trash.restore(object), 'unavailable');
      await expectFailure(store.trash.remove(object), 'unavailable');
    });

    it('gives views of the store as it was, without a request for each object', async () => {
      const [kept, deleted, later] = [newRef('packfile'), newRef('packfile'), newRef('packfile')];
      for (const ref of [kept, deleted]) await putAll(store, ref, makeObject('packfile', 1000, ref.mac));
      await sleep(tickMs);
      const moment = Date.now();
      await sleep(tickMs);
      await store.delete(deleted, ctx);
      await putAll(store, later, makeObject('packfile', 1000));
      let stats = 0;
      const counted = Object.create(store, {
        stat: { value: (...args: Parameters<typeof store.stat>) => (stats++, store.stat(...args)) },
      }) as typeof store;
      const view = viewsOf(counted, store)(moment);
      expect(await listAll(view, 'packfile')).to.have.members([kept.mac, deleted.mac]);
      expect(stats).to.equal(0);
      for (const ref of [kept, deleted])
        expect(await getAll(view, ref)).to.deep.equal(makeObject('packfile', 1000, ref.mac));
      await expectFailure(view.get(later, undefined, ctx), 'not_found');

      const [object] = await trashed();
      if (object === undefined) throw new Error('nothing is in the trash');
      await store.trash.restore(object);
      expect(await trashed()).to.deep.equal([]);
      expect(await getAll(store, deleted)).to.deep.equal(makeObject('packfile', 1000, deleted.mac));
      if (knowsMarkers) expect(await listAll(view, 'packfile')).to.have.members([kept.mac, deleted.mac]);
    });
  });
