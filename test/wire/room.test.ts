import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEntry } from '../../src/core/audit.js';
import type { Store } from '../../src/core/store.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../support/store.js';
import { emptyStore, tempFolder } from '../support/temp.js';
import { untilClean } from './support/folders.js';

const MiB = 1024 * 1024;

const protocols: Readonly<Record<string, (gateway: TestGateway) => Store>> = {
  'HTTP 1.1': ({ httpPort }) => new HttpStore(httpPort),
  gRPC: ({ grpcPort }) => new GrpcStore(grpcPort),
};

describe('A gateway in front of a store with a quota', () => {
  let folder: string;
  let gateway: TestGateway;
  const auditLog = async (): Promise<AuditEntry[]> => {
    const lines = (await readFile(join(folder, '..', 'audit.log'), 'utf8')).trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line) as AuditEntry);
  };

  beforeEach(async () => {
    folder = await emptyStore();
    gateway = await startTestGateway(folder, {
      quota: '1MiB',
      'allow-delete': true,
      'min-free-space': 0,
      'audit-log': join(folder, '..', 'audit.log'),
    });
  });

  afterEach(() => gateway.close());

  for (const [protocol, connect] of Object.entries(protocols)) {
    it(`takes as much as it allows over ${protocol}, says why it takes no more, and records all of it`, async () => {
      const store = connect(gateway);
      const [first, second, lock] = [newRef('packfile'), newRef('state'), newRef('lock')];
      const bytes = makeObject('packfile', MiB);
      await putAll(store, first, bytes);
      const { message } = await expectFailure(putAll(store, second, makeObject('state', 48)), 'no_space');
      expect(message).to.include("this store's quota of 1048576 bytes leaves no room for this state");
      await putAll(store, lock, makeObject('lock', 124));
      await putAll(store, first, bytes);
      await untilClean(folder);
      await store.delete(first, ctx);
      await putAll(store, second, makeObject('state', 48));
      expect(await listAll(store, 'state')).to.deep.equal([second.mac]);
      await store.close();
      await gateway.close();
      expect(
        (await auditLog()).map(({ operation, mac, outcome, code }) => [operation, mac, outcome, code]),
      ).to.deep.equal([
        ['put', first.mac, 'created', undefined],
        ['put', second.mac, 'failed', 'no_space'],
        ['put', lock.mac, 'stored', undefined],
        ['put', first.mac, 'unchanged', undefined],
        ['delete', first.mac, 'deleted', undefined],
        ['put', second.mac, 'created', undefined],
      ]);
      for (const entry of await auditLog()) {
        expect(entry).to.include({ principal: 'anonymous', address: '127.0.0.1', store: '' });
        expect(JSON.stringify(entry)).to.not.include(folder);
      }
    });
  }

  it('is never exceeded by uploads through both protocols at once', async () => {
    const stores = Object.values(protocols).map((connect) => connect(gateway));
    const puts = Array.from({ length: 60 }, (_, i) =>
      putAll(stores[i % 2] as Store, newRef('packfile'), makeObject('packfile', 50_000)),
    );
    const results = await Promise.allSettled(puts);
    await untilClean(folder);
    const stored = results.filter(({ status }) => status === 'fulfilled').length;
    expect(await listAll(stores[0] as Store, 'packfile')).to.have.length(stored);
    expect(stored).to.be.within(1, 20);
    // The space reserved by the others is free again.
    for (let i = stored; i < 20; i++)
      await putAll(stores[i % 2] as Store, newRef('packfile'), makeObject('packfile', 50_000));
    await expectFailure(putAll(stores[0] as Store, newRef('packfile'), makeObject('packfile', 50_000)), 'no_space');
    for (const store of stores) await store.close();
  });
});

describe('A gateway that keeps a part of the disk free', () => {
  let disk: string;
  let gateway: TestGateway;
  let isMounted = false;

  beforeEach(async function () {
    disk = await tempFolder();
    isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', disk]).status === 0;
    if (!isMounted) return this.skip();
    await cp(await emptyStore(), join(disk, 'store'), { recursive: true });
    gateway = await startTestGateway(join(disk, 'store'), { 'allow-delete': true, 'min-free-space': '4MiB' });
  });

  afterEach(async () => {
    if (!isMounted) return;
    await gateway.close();
    spawnSync('umount', ['--lazy', disk]);
  });

  for (const [protocol, connect] of Object.entries(protocols)) {
    it(`accepts only locks and objects that exist already over ${protocol} when no more than that is free`, async () => {
      const store = connect(gateway);
      const ref = newRef('packfile');
      const bytes = makeObject('packfile', 3 * MiB);
      await putAll(store, ref, bytes);
      const { message } = await expectFailure(putAll(store, newRef('packfile'), bytes), 'no_space');
      expect(message).to.include('4.00 MiB of it are kept free').and.not.include(disk);
      await putAll(store, newRef('lock'), makeObject('lock', 60_000));
      await putAll(store, ref, bytes);
      expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
      await store.delete(ref, ctx);
      await putAll(store, newRef('packfile'), bytes);
      await untilClean(disk);
      await store.close();
    });
  }
});
