import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileStore } from '../../../src/backends/files/file-store.js';
import { FolderVersions } from '../../../src/backends/local/folder-versions.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import type { TrashedObject } from '../../../src/core/trash.js';
import { host } from '../../support/gateway.js';
import { makeObject, newRef } from '../../support/objects.js';
import { putAll } from '../../support/store.js';
import { emptyStore } from '../../support/temp.js';

/** Longer than the kernel gives all changes the same time. */
const tickMs = 20;

describe('the version of a trash in folders', () => {
  /** @param aheadMs how fast the clock is that says whether a change is too new */
  const open = async (folder: string, aheadMs: number): Promise<FileStore> => {
    const files = new LocalFileSystem(folder, new FolderVersions(() => Date.now() + aheadMs));
    return FileStore.open(files, { durable: false, maxObjectBytes: 2 ** 20, host, trashes: true });
  };

  it('is the same until something comes or goes', async () => {
    const store = await open(await emptyStore(), 60_000);
    const { trash } = store;
    const seen = new Set<string | undefined>();
    const expectNew = async (): Promise<void> => {
      const version = await trash.version();
      expect(version).to.be.a('string');
      expect(seen.has(version)).to.equal(false);
      seen.add(version);
      await sleep(tickMs);
      expect(await trash.version()).to.equal(version);
    };
    await expectNew();
    for (const kind of ['packfile', 'state'] as const) {
      const ref = newRef(kind);
      await putAll(store, ref, makeObject(kind, 100));
      await trash.discard(ref);
      await expectNew();
    }
    const inTrash: TrashedObject[] = [];
    for await (const object of trash.list()) inTrash.push(object);
    const [one, other] = inTrash;
    if (one === undefined || other === undefined) throw new Error('two are in the trash');
    expect(await trash.restore(one)).to.equal(true);
    await expectNew();
    await trash.remove(other);
    await expectNew();
    await store.close();
  });

  it('is unknown right after a change', async () => {
    const store = await open(await emptyStore(), -60_000);
    const ref = newRef('state');
    await putAll(store, ref, makeObject('state', 100));
    await store.delete(ref);
    expect(await store.trash.version()).to.equal(undefined);
    await store.close();
  });
});
