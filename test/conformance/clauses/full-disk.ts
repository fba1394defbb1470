import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { objectKinds } from '../../../src/core/object.js';
import { makeObject, newRef } from '../../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../../support/store.js';
import { untilClean, untilOpenFiles } from '../../wire/support/folders.js';
import type { Subject } from '../target.js';
import { folderOf } from './on-disk.js';

/**
 * A full store. For a store in a folder, small file systems are mounted over the folders of its kinds. That takes root; without, the
 * tests are skipped.
 */
export function describeFullDisk(subject: Subject): void {
  describe('when full', () => {
    let undo: (() => Promise<void>) | undefined;
    let fill: () => Promise<() => Promise<void>>;

    beforeEach(async function () {
      const { target } = subject;
      if (target.fill !== undefined) {
        ({ fill } = target as Required<typeof target>);
        return;
      }
      const disks = target.folder === undefined ? undefined : SmallDisks.mount(folderOf(target));
      if (disks === undefined) return this.skip();
      undo = () => disks.unmount();
      fill = () => disks.fill();
    });

    afterEach(async () => {
      await undo?.();
      undo = undefined;
    });

    for (const kind of objectKinds) {
      const size = kind === 'lock' ? 60_000 : 300_000;

      it(`fails with no_space for a ${kind}, and leaves nothing of it behind`, async () => {
        const { store, target } = subject;
        const present = newRef(kind);
        const old = makeObject(kind, 1000, 'old');
        await putAll(store, present, old);
        const makeRoom = await fill();
        const ref = newRef(kind);
        for (let i = 0; i < 2; i++) {
          await expectFailure(putAll(store, ref, makeObject(kind, size)), 'no_space');
          await expectFailure(store.get(ref, undefined, ctx), 'not_found');
        }
        expect(await listAll(store, kind)).to.deep.equal([present.mac]);
        expect((await getAll(store, present)).equals(old)).to.equal(true);
        if (subject.onDisk) {
          await untilClean(folderOf(target));
          await untilOpenFiles(0, folderOf(target));
        }
        await makeRoom();
        const bytes = makeObject(kind, 10_000, 'small');
        await putAll(store, ref, bytes);
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
      });
    }

    for (const kind of ['packfile', 'state'] as const) {
      it(`accepts the same bytes of a ${kind} that exists`, async () => {
        const { store } = subject;
        const ref = newRef(kind);
        const bytes = makeObject(kind, 10_000);
        await putAll(store, ref, bytes);
        const makeRoom = await fill();
        const created = await putAll(store, ref, bytes);
        if (!subject.hides('created')) expect(created).to.equal(false);
        await makeRoom();
      });
    }

    it('keeps a lock that cannot be replaced, and deletes it', async () => {
      const { store } = subject;
      const ref = newRef('lock');
      const old = makeObject('lock', 1000, 'old');
      await putAll(store, ref, old);
      const makeRoom = await fill();
      await expectFailure(putAll(store, ref, makeObject('lock', 60_000, 'new')), 'no_space');
      expect((await getAll(store, ref)).equals(old)).to.equal(true);
      await store.delete(ref, ctx);
      await expectFailure(store.get(ref, undefined, ctx), 'not_found');
      await makeRoom();
    });
  });
}

/** File systems of 64 KiB, mounted over a store's folders. */
class SmallDisks {
  private constructor(private readonly folders: readonly string[]) {}

  /** Undefined if mounting is not permitted. */
  static mount(store: string): SmallDisks | undefined {
    const mounted: string[] = [];
    for (const kind of objectKinds) {
      const folder = join(store, `${kind}s`);
      const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder]);
      if (status !== 0) {
        new SmallDisks(mounted).unmountNow();
        return undefined;
      }
      mounted.push(folder);
    }
    return new SmallDisks(mounted);
  }

  /** Fills them. Resolves to a function that makes room again. */
  async fill(): Promise<() => Promise<void>> {
    for (const folder of this.folders) {
      for (let error: unknown; error === undefined;) {
        await appendFile(join(folder, 'filler'), Buffer.alloc(4096)).catch((caught: unknown) => (error = caught));
      }
    }
    return async () => {
      for (const folder of this.folders) await rm(join(folder, 'filler'));
    };
  }

  async unmount(): Promise<void> {
    this.unmountNow();
  }

  private unmountNow(): void {
    for (const folder of this.folders) spawnSync('umount', ['--lazy', folder]);
  }
}
