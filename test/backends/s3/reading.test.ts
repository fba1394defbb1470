import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenedStore } from '../../../src/backends/backend.js';
import { objectPath } from '../../../src/backends/files/layout.js';
import type { ObjectRef } from '../../../src/core/object.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { cutAfter, held, refuse } from '../../support/faults.js';
import { memoryInUse } from '../../support/memory.js';
import { makeObject, newRef } from '../../support/objects.js';
import { s3Server } from '../../support/s3-server.js';
import { openS3Store } from '../../support/s3-store.js';
import { ctx, expectFailure, getAll, readAll } from '../../support/store.js';

const MiB = 1024 * 1024;

describe('an object in S3', () => {
  const server = s3Server();
  let proxy: FaultProxy;
  let prefix: string;
  let store: OpenedStore;

  const small = { ref: newRef('packfile'), bytes: makeObject('packfile', 10_000, 'small') };
  const large = { ref: newRef('packfile'), bytes: makeObject('packfile', 40 * MiB, 'large') };

  const keyOf = (ref: ObjectRef): string => `${prefix}/${objectPath(ref)}`;

  before(async () => {
    proxy = await FaultProxy.start(server().port);
    prefix = await server().emptyStore();
    for (const { ref, bytes } of [small, large]) await server().put(keyOf(ref), bytes);
    store = await openS3Store(server(), prefix, { port: proxy.port });
  });

  after(async () => {
    await store?.close();
    await proxy?.close();
  });

  beforeEach(() => proxy.heal());

  for (const [what, offset, length] of [
    ['a part', 100, 50],
    ['the first byte', 0, 1],
    ['the last byte', 9999, 1],
    ['a part that goes past the end', 9000, 5000],
    ['a part that starts at the end', 10_000, 1],
    ['a part past the end', 2 ** 53 - 1, 2 ** 32 - 1],
  ] as const) {
    it(`is read in parts: ${what}`, async () => {
      const read = await store.get(small.ref, { offset, length }, ctx);
      const expected = small.bytes.subarray(offset, offset + length);
      expect(read).to.include({ objectSize: 10_000, length: expected.length });
      expect((await readAll(read)).equals(expected)).to.equal(true);
    });
  }

  it('takes one request for a part', async () => {
    await getAll(store, small.ref, { offset: 1000, length: 1000 });
    expect(proxy.requests.map(({ operation, headers }) => [operation, headers['range']])).to.deep.equal([
      ['GetObject', 'bytes=1000-1999'],
    ]);
  });

  it('is asked for once where it is not there, and then the store is', async () => {
    await expectFailure(store.get(newRef('packfile'), undefined, ctx), 'not_found');
    expect(proxy.requests.map(({ operation }) => operation)).to.deep.equal(['GetObject', 'HeadObject']);
  });

  it('takes one request for a part past the end', async () => {
    await getAll(store, small.ref, { offset: 10_000, length: 1 });
    expect(proxy.requests.map(({ operation }) => operation)).to.deep.equal(['GetObject']);
  });

  it('is read as a whole, in chunks, without being held in memory', async () => {
    const read = await store.get(large.ref, undefined, ctx);
    expect(read).to.include({ objectSize: 40 * MiB, length: 40 * MiB });
    if (read.data instanceof Uint8Array) throw new Error('it is one buffer');
    const before = memoryInUse();
    let [at, most, areSame] = [0, 0, true];
    for await (const chunk of read.data) {
      areSame &&= large.bytes.subarray(at, at + chunk.length).equals(chunk);
      const step = 4 * MiB;
      if (Math.floor(at / step) !== Math.floor((at += chunk.length) / step))
        most = Math.max(most, memoryInUse() - before);
    }
    read.release();
    expect(areSame && at === large.bytes.length).to.equal(true);
    expect(most, 'bytes in memory').to.be.below(8 * MiB);
  });

  it('is the same without a prefix, and with one that has other characters than letters', async () => {
    for (const other of ['', 'a b/+ü&\'()*!~"']) {
      const at = other === '' ? '' : `${other}/`;
      await server().put(`${at}CONFIG`, Buffer.from(await store.config(ctx)));
      await server().put(`${at}${objectPath(small.ref)}`, small.bytes);
      const opened = await openS3Store(server(), other.split('/').map(encodeURIComponent).join('/'));
      expect((await getAll(opened, small.ref)).equals(small.bytes)).to.equal(true);
      expect(await opened.stat(small.ref, ctx)).to.include({ size: 10_000 });
      await opened.close();
    }
  });

  for (const [what, { ref }, cut] of [
    ['a short one', small, 5000],
    ['a long one', large, 20 * MiB],
  ] as const) {
    it(`is an error where the answer breaks off: ${what}`, async () => {
      proxy.spoil('GetObject', cutAfter(cut));
      await expectFailure(getAll(store, ref), 'unavailable');
    });
  }

  it('is not found once it has vanished, and the error says so', async () => {
    const ref = newRef('packfile');
    await server().put(keyOf(ref), makeObject('packfile', 100));
    await getAll(store, ref);
    await server().client.send(new DeleteObjectCommand({ Bucket: server().bucket, Key: keyOf(ref) }));
    const error = await expectFailure(store.get(ref, undefined, ctx), 'not_found');
    expect(error.message).to.include(ref.mac);
    await expectFailure(store.stat(ref, ctx), 'not_found');
  });

  it('is not said to be missing where the whole store is', async () => {
    const gone = await server().emptyStore();
    const opened = await openS3Store(server(), gone);
    await rm(join(server().folder, gone), { recursive: true });
    await expectFailure(opened.get(small.ref, undefined, ctx), 'unavailable');
    await expectFailure(opened.stat(small.ref, ctx), 'unavailable');
    await expectFailure(opened.config(ctx), 'unavailable');
    await opened.close();
  });

  it('has to be restored first where it is archived, and the error says so', async () => {
    proxy.spoil('GetObject', refuse(403, 'InvalidObjectState'), { times: 2 });
    const error = await expectFailure(store.get(small.ref, undefined, ctx), 'unavailable');
    expect(error.message).to.include('archived').and.include('restored');
  });

  it('is an error that names neither bucket nor host where the service refuses it', async () => {
    proxy.spoil('GetObject', refuse(403, 'AccessDenied'), { times: 2 });
    const error = await expectFailure(store.get(small.ref, undefined, ctx), 'unavailable');
    expect(error.message).not.to.match(/127\.0\.0\.1|bucket|stores\//);
    expect(String(error.cause)).to.include('AccessDenied');
  });

  for (const [what, { ref }] of [
    ['before an answer', small],
    ['in the middle of one', large],
  ] as const) {
    it(`is given up when the caller goes away: ${what}`, async () => {
      const caller = new AbortController();
      const { signal } = caller;
      if (ref === small.ref) {
        const { hit } = proxy.spoil('GetObject', held);
        void hit.then(() => caller.abort());
        await expectFailure(store.get(ref, undefined, { signal }), 'canceled');
      } else {
        const read = await store.get(ref, undefined, { signal });
        caller.abort();
        await expectFailure(readAll(read), 'canceled');
      }
    });
  }

  it('takes no connection for longer than it is read', async () => {
    for (let i = 0; i < 20; i++) (await store.get(large.ref, undefined, ctx)).release();
    expect((await getAll(store, small.ref)).equals(small.bytes)).to.equal(true);
  });
});
