import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../src/core/errors.js';
import type { Store } from '../../src/core/store.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../support/store.js';
import { emptyStore, tempFolder } from '../support/temp.js';
import { objects, untilClean, untilOpenFiles } from './support/folders.js';

const MiB = 1024 * 1024;

const protocols: Readonly<Record<string, (gateway: TestGateway) => Store>> = {
  HTTP: ({ httpPort }) => new HttpStore(httpPort),
  gRPC: ({ grpcPort }) => new GrpcStore(grpcPort),
};

describe('A store on a disk of 2 MiB', () => {
  let disk: string;
  let folder: string;
  let gateway: TestGateway;
  let isMounted = false;

  beforeEach(async function () {
    disk = await tempFolder();
    isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', disk]).status === 0;
    if (!isMounted) return this.skip();
    folder = join(disk, 'store');
    await cp(await emptyStore(), folder, { recursive: true });
    gateway = await startTestGateway(folder, { 'allow-delete': true, 'min-free-space': 0 });
  });

  afterEach(async () => {
    if (!isMounted) return;
    await gateway.close();
    spawnSync('umount', ['--lazy', disk]);
  });

  for (const [protocol, connect] of Object.entries(protocols)) {
    it(`fails with no_space for a larger object, through ${protocol}, and works as before afterwards`, async () => {
      const store = connect(gateway);
      for (let i = 0; i < 3; i++) {
        const big = newRef('packfile');
        const { message } = await expectFailure(putAll(store, big, makeObject('packfile', 16 * MiB)), 'no_space');
        expect(message).to.contain('disk is full');
        expect(message).to.not.contain(disk);
        await untilClean(folder);
        await untilOpenFiles(0, folder);
        await expectFailure(store.get(big, undefined, ctx), 'not_found');
      }
      const small = newRef('packfile');
      const bytes = makeObject('packfile', MiB);
      await putAll(store, small, bytes);
      expect((await getAll(store, small)).equals(bytes)).to.equal(true);
      expect(gateway.log.some(({ level, code }) => level === 'warn' && code === 'no_space')).to.equal(true);
      await store.close();
    });

    it(`keeps a lock that can't be replaced, through ${protocol}`, async () => {
      const store = connect(gateway);
      const lock = newRef('lock');
      const old = makeObject('lock', 60_000, 'old');
      await putAll(store, lock, old);
      const filling = await fill(store);
      await expectFailure(putAll(store, lock, makeObject('lock', 60_000, 'new')), 'no_space');
      expect((await getAll(store, lock)).equals(old)).to.equal(true);
      expect(await listAll(store, 'packfile')).to.have.length(filling);
      await store.delete(lock, ctx);
      await putAll(store, lock, makeObject('lock', 48));
      await untilClean(folder);
      await store.close();
    });
  }

  it('fails with no_space for some of many uploads at once, and stores the others whole', async () => {
    const stores = Object.values(protocols).map((connect) => connect(gateway));
    const bodies = Array.from({ length: 20 }, (_, i) => makeObject('packfile', 600_000, `upload ${i}`));
    const refs = bodies.map(() => newRef('packfile'));
    const results = await Promise.allSettled(
      bodies.map((bytes, i) => putAll(stores[i % 2] as Store, refs[i] ?? newRef('packfile'), bytes)),
    );
    await untilClean(folder);
    const stored = results.filter(({ status }) => status === 'fulfilled').length;
    expect(await objects(folder)).to.have.length(stored);
    for (const [i, result] of results.entries()) {
      const [ref, bytes] = [refs[i], bodies[i]];
      if (ref === undefined || bytes === undefined) continue;
      if (result.status === 'rejected') expect(hasCode(result.reason, 'no_space')).to.equal(true);
      else expect((await getAll(stores[0] as Store, ref)).equals(bytes)).to.equal(true);
    }
    expect(stored).to.be.lessThan(4);
    for (const store of stores) await store.close();
  });

  /** Puts packfiles until no page of the disk is free. Resolves to their number. */
  async function fill(store: Store): Promise<number> {
    let count = 0;
    for (const size of [1_000_000, 500_000, 100_000, 50_000, 20_000, 8000, 4000]) {
      for (;;) {
        try {
          await putAll(store, newRef('packfile'), makeObject('packfile', size));
          count++;
        } catch (error) {
          if (!hasCode(error, 'no_space')) throw error;
          break;
        }
      }
    }
    return count;
  }
});
