import { expect } from 'chai';
import { StoreError } from '../../../src/core/errors.js';
import { inChunks, makeObject, newRef } from '../../support/objects.js';
import { s3Server } from '../../support/s3-server.js';
import { openS3Store } from '../../support/s3-store.js';
import { ctx, expectFailure, getAll, putAll, readAll } from '../../support/store.js';

const MiB = 1024 * 1024;

const arrivedMs = Date.parse('2026-11-01T08:30:15Z');

describe('Replacing an object of a store in S3', function () {
  this.timeout(60_000);
  const server = s3Server({ program: 'versitygw', versions: true });

  for (const [what, size] of [
    ['an object of one request', 1000],
    ['one of several parts', 20 * MiB],
  ] as const) {
    it(`puts the new bytes in the place of ${what}, and the damaged ones into the trash`, async () => {
      const store = await openS3Store(server(), await server().emptyStore(), { trashes: true });
      const ref = newRef('packfile');
      const [damaged, whole] = [makeObject('packfile', size, 'damaged'), makeObject('packfile', size, 'whole')];
      await putAll(store, ref, damaged);
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield* inChunks(Buffer.from(whole.subarray(0, size / 2)));
        throw new StoreError('unavailable', 'the other copy is gone');
      }
      await expectFailure(store.replace?.(ref, broken(), arrivedMs, ctx), 'unavailable');
      expect((await getAll(store, ref)).equals(damaged)).to.equal(true);
      expect(await store.firstArrival?.(ref, ctx)).to.equal(undefined);
      await store.replace?.(ref, inChunks(Buffer.from(whole)), arrivedMs, ctx, { mustExist: true });
      expect((await getAll(store, ref)).equals(whole)).to.equal(true);
      expect(await store.firstArrival?.(ref, ctx)).to.equal(arrivedMs);
      const trashed: Buffer[] = [];
      for await (const object of store.trash?.list(ctx) ?? [])
        trashed.push(await readAll((await store.trash?.get(object, undefined, ctx)) as never));
      expect(trashed.map((bytes) => bytes.equals(damaged))).to.deep.equal([true]);
      await store.close();
    });
  }

  it('replaces nothing where it has to be there and was deleted while the bytes were read', async () => {
    const store = await openS3Store(server(), await server().emptyStore(), { trashes: true });
    const ref = newRef('state');
    const whole = makeObject('state', 1000, 'whole');
    await putAll(store, ref, makeObject('state', 1000, 'damaged'));
    async function* afterDelete(): AsyncGenerator<Uint8Array> {
      yield* inChunks(Buffer.from(whole));
      await store.delete(ref, ctx);
    }
    await expectFailure(store.replace?.(ref, afterDelete(), arrivedMs, ctx, { mustExist: true }), 'not_found');
    await expectFailure(store.stat(ref, ctx), 'not_found');
    await store.close();
  });

  it('tells the first arrival after several repairs, and of what is in the trash', async () => {
    const store = await openS3Store(server(), await server().emptyStore(), { trashes: true });
    const ref = newRef('state');
    for (const laterMs of [0, 1000])
      await store.replace?.(ref, inChunks(makeObject('state', 1000)), arrivedMs + laterMs, ctx);
    expect(await store.firstArrival?.(ref, ctx)).to.equal(arrivedMs);
    await store.delete(ref, ctx);
    expect(await store.firstArrival?.(ref, ctx)).to.equal(undefined);
    const first: (number | undefined)[] = [];
    for await (const object of store.trash?.list(ctx) ?? []) first.push(await store.trash?.firstArrival?.(object, ctx));
    expect(first).to.deep.equal([arrivedMs, arrivedMs]);
    await store.close();
  });
});
