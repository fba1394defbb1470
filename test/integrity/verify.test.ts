import { expect } from 'chai';
import { StoreError } from '../../src/core/errors.js';
import type { ObjectRead } from '../../src/core/store.js';
import type { VerifiedStore } from '../../src/integrity/store-copy.js';
import { verifyStore, type VerifyOptions } from '../../src/integrity/verify.js';
import {
  isWhole,
  type Damage,
  type VerifiedRef,
  type VerifyPosition,
  type VerifyReport,
} from '../../src/integrity/verify-report.js';
import { makeObject } from '../support/objects.js';
import { ctx, failure, listAll } from '../support/store.js';
import { fixtureStore } from '../support/temp.js';
import { Folder } from './support/copies.js';

/** Verifies a folder, and another one. */
async function verified(
  folder: Folder,
  options: Omit<Partial<VerifyOptions>, 'against'> & { readonly against?: Folder } = {},
): Promise<VerifyReport> {
  const store = await folder.open();
  const against = await options.against?.open();
  try {
    return await verifyStore(store, { jobs: 4, ...options, against }, ctx);
  } finally {
    await Promise.all([store.close(), against?.close()]);
  }
}

function found(damaged: readonly Damage[]): unknown[] {
  return damaged.map(({ ref, problem, otherCopy }) => [ref.mac, problem, otherCopy]).sort();
}

/** A store with so many packfiles and states. */
async function storeOf(count: number, encryption: 'plaintext' | 'encrypted'): Promise<[Folder, VerifiedRef[]]> {
  const folder = await Folder.create(encryption);
  const refs: VerifiedRef[] = [];
  for (let i = 0; i < count; i++)
    refs.push(await folder.add(i % 4 === 3 ? 'state' : 'packfile', 100 + 10 * i, `${count} ${i}`));
  return [folder, refs];
}

describe('verifying a store', () => {
  it('finds nothing wrong with what plakar wrote, of any version, and checks the MACs in plaintext stores', async () => {
    for (const version of ['v1.0', 'v1.1'] as const) {
      for (const encryption of ['plaintext', 'encrypted'] as const) {
        const folder = new Folder(await fixtureStore(`${version}-${encryption}/store-two-snapshots`));
        const report = await verified(folder);
        expect(isWhole(report), `${version} ${encryption}`).to.equal(true);
        const { packfile, state } = report.checked;
        const [known, unknown] =
          encryption === 'plaintext' ? (['mac', 'header'] as const) : (['header', 'mac'] as const);
        expect(report.proofs).to.deep.include({ [known]: packfile.objects + state.objects, [unknown]: 0 });
      }
    }
  });

  it('finds a bit that was flipped anywhere in an object of a plaintext store', async () => {
    const folder = new Folder(await fixtureStore('v1.1-plaintext/store-two-snapshots'));
    const store = await folder.open();
    for (const kind of ['packfile', 'state'] as const) {
      const [mac] = await listAll(store, kind);
      if (mac === undefined) throw new Error('there is none');
      const ref = { kind, mac };
      for (const at of [0, 9 / 2000, 0.3, 0.999_99]) {
        const whole = await folder.read(ref);
        await folder.flip(ref, at);
        const { damaged } = await verified(folder, { macs: [mac] });
        expect(
          damaged.map((each) => each.ref.mac),
          `${kind} ${at}`,
        ).to.deep.equal([mac]);
        await folder.write(ref, whole);
      }
    }
    await store.close();
    expect(isWhole(await verified(folder))).to.equal(true);
  });

  it('finds packfiles of a plaintext store that have the names of others', async () => {
    const [folder, [one, two] = []] = await storeOf(2, 'plaintext');
    if (one === undefined || two === undefined) throw new Error('there are too few');
    const other = await folder.copy();
    await folder.swap(one, two);
    const { damaged } = await verified(folder, { against: other, bytesPerSecond: 2 ** 30 });
    expect(found(damaged)).to.deep.equal([one, two].map(({ mac }) => [mac, 'name', 'proven']).sort());
  });

  it('reports what is missing only if it was recorded, and was deleted by no client', async () => {
    const [folder, refs] = await storeOf(5, 'encrypted');
    const [lost, deleted, trashed, unrecorded] = refs as [VerifiedRef, VerifiedRef, VerifiedRef, VerifiedRef];
    await folder.record(refs.filter((ref) => ref !== unrecorded));
    const other = await folder.copy();
    await folder.withRecorder(async (recorder) => {
      for (const ref of [deleted, trashed]) await recorder.recordDelete(ref);
    });
    const store = await folder.open();
    await store.trash.discard(trashed);
    await store.close();
    for (const ref of [lost, deleted, unrecorded]) await folder.lose(ref);
    const alone = await verified(folder);
    expect(found(alone.damaged)).to.deep.equal([[lost.mac, 'missing', undefined]]);
    const { damaged, onlyThere, namedOnlyThere } = await verified(folder, { against: other });
    expect(found(damaged)).to.deep.equal([[lost.mac, 'missing', 'proven']]);
    expect(onlyThere.packfile + onlyThere.state).to.equal(3);
    expect(namedOnlyThere.map(({ mac }) => mac)).to.have.members([deleted, trashed, unrecorded].map(({ mac }) => mac));
  });

  it('tells which of two copies is damaged, by what is recorded in one of them', async () => {
    const [folder, refs] = await storeOf(4, 'encrypted');
    const other = await folder.copy();
    await other.record(refs);
    const [here, there, both] = refs as [VerifiedRef, VerifiedRef, VerifiedRef];
    await folder.flip(here, 0.5);
    await other.flip(there, 0.5);
    await folder.flip(both, 0.5);
    await other.cut(both, 0.5);
    const { damaged, otherDamaged, proofs } = await verified(folder, { against: other });
    expect(found(damaged)).to.deep.equal(
      [
        [here.mac, 'digest', 'proven'],
        [both.mac, 'digest', 'bad'],
      ].sort(),
    );
    expect(found(otherDamaged)).to.deep.equal(
      [
        [there.mac, 'digest', 'proven'],
        [both.mac, 'size', 'bad'],
      ].sort(),
    );
    expect(proofs.digest).to.equal(2);
  });

  it('leaves open which copy is right where bytes or sizes differ, without any digest', async () => {
    const [folder, refs] = await storeOf(5, 'encrypted');
    const other = await folder.copy();
    const [cutHere, cutThere, differs, header] = refs as [VerifiedRef, VerifiedRef, VerifiedRef, VerifiedRef];
    await folder.cut(cutHere, 0.8);
    await other.cut(cutThere, 0.8);
    await folder.flip(differs, 0.5);
    await folder.flip(header, 0);
    const { damaged, otherDamaged, proofs } = await verified(folder, { against: other });
    expect(found(damaged)).to.deep.equal(
      [
        [cutHere.mac, 'differs', 'unsure'],
        [cutThere.mac, 'differs', 'unsure'],
        [differs.mac, 'differs', 'unsure'],
        [header.mac, 'header', 'likely'],
      ].sort(),
    );
    expect(otherDamaged).to.deep.equal([]);
    const { text } = damaged.find(({ ref }) => ref.mac === cutHere.mac) as Damage;
    expect(text).to.match(/^differs from the other copy, .*: it has 80 bytes, and the other one 100$/);
    expect(proofs).to.deep.include({ 'other copy': 1 });
  });

  it('goes on where an earlier run was cut off, and reports what both found', async () => {
    const [folder, refs] = await storeOf(40, 'encrypted');
    await folder.record(refs);
    const inOrder = refs.toSorted((a, b) => (a.kind + a.mac < b.kind + b.mac ? -1 : 1));
    const damaged = [inOrder[2], inOrder[35]] as VerifiedRef[];
    for (const ref of damaged) await folder.flip(ref, 0.9);
    const store = await folder.open();
    const controller = new AbortController();
    let position: VerifyPosition | undefined;
    let first = 0;
    const stopped = new StoreError('canceled', 'stopped');
    const on = {
      checked: () => (++first === 10 ? controller.abort(stopped) : undefined),
      position: (reached: VerifyPosition) => (position = JSON.parse(JSON.stringify(reached)) as VerifyPosition),
    };
    const cutOff = await failure(verifyStore(store, { jobs: 4, on }, { signal: controller.signal }));
    expect(cutOff).to.equal(stopped);
    let second = 0;
    const report = await verifyStore(store, { jobs: 4, position, on: { checked: () => second++ } }, ctx);
    await store.close();
    expect(second).to.equal(refs.length - first);
    expect(report.damaged.map(({ ref }) => ref.mac)).to.deep.equal(damaged.map(({ mac }) => mac));
    const plain = (each: VerifyReport): unknown => JSON.parse(JSON.stringify(each));
    expect(plain(report)).to.deep.equal(plain(await verified(folder)));
  });

  it('records the digests of what is whole and has none, and finds later damage by them', async () => {
    const [folder, refs] = await storeOf(8, 'encrypted');
    const [damaged, later, recorded] = refs as [VerifiedRef, VerifiedRef, VerifiedRef];
    await folder.record([recorded]);
    await folder.flip(damaged, 0);
    await folder.withRecorder(async (record) => {
      expect((await verified(folder, { record })).recorded).to.equal(refs.length - 2);
    });
    expect((await verified(folder)).proofs).to.deep.include({ digest: refs.length - 1 });
    await folder.flip(later, 0.99);
    expect(found((await verified(folder)).damaged)).to.deep.include([later.mac, 'digest', undefined]);
  });

  it('records no digest of what the other copy has otherwise, or not at all', async () => {
    const [folder, refs] = await storeOf(5, 'encrypted');
    const other = await folder.copy();
    const [differs, grown, absent, ...equal] = refs as [VerifiedRef, VerifiedRef, VerifiedRef];
    await folder.flip(differs, 0.5);
    await folder.write(grown, Buffer.concat([await other.read(grown), Buffer.alloc(100)]));
    await other.lose(absent);
    await folder.withRecorder(async (record) => {
      expect((await verified(folder, { record, against: other })).recorded).to.equal(equal.length);
    });
  });

  it('finds what has changed since it was read and recorded, which the other copy may still have', async () => {
    for (const encryption of ['plaintext', 'encrypted'] as const) {
      const [folder, refs] = await storeOf(4, encryption);
      const other = await folder.copy();
      const [changed, bothChanged] = refs as [VerifiedRef, VerifiedRef];
      await folder.withRecorder(async (record) => void (await verified(folder, { record })));
      for (const ref of [changed, bothChanged]) await folder.flip(ref, 0.5);
      await other.flip(bothChanged, 0.6);
      const { damaged } = await verified(folder, { against: other });
      const isOpen = encryption === 'plaintext';
      expect(found(damaged), encryption).to.deep.equal(
        [
          [changed.mac, 'digest', isOpen ? 'proven' : 'likely'],
          [bothChanged.mac, 'digest', isOpen ? 'bad' : 'unsure'],
        ].sort(),
      );
      expect(damaged[0]?.text).to.include('has other bytes than when its digest was recorded');
    }
  });

  it('takes nothing for damage that a client has deleted and put again with other bytes meanwhile', async () => {
    const [folder, refs] = await storeOf(8, 'encrypted');
    await folder.record(refs);
    const inner = await folder.open();
    const putAgain = async (): Promise<void> => {
      for (const ref of refs) await folder.write(ref, makeObject(ref.kind, 300, `again ${ref.mac}`));
      await folder.record(refs);
    };
    let puttingAgain: Promise<void> | undefined;
    const store: VerifiedStore = Object.assign(Object.create(inner) as VerifiedStore, {
      get: async (ref: VerifiedRef): Promise<ObjectRead> => {
        puttingAgain ??= putAgain();
        await puttingAgain;
        return inner.get(ref, undefined);
      },
    });
    expect(found((await verifyStore(store, { jobs: 4 }, ctx)).damaged)).to.deep.equal([]);
    await inner.close();
  });

  it('takes what only the other copy has for missing only if it is told to', async () => {
    const [folder, refs] = await storeOf(2, 'encrypted');
    const other = await folder.copy();
    const [deleted] = refs as [VerifiedRef];
    await folder.lose(deleted);
    const macs = [deleted.mac];
    expect(found((await verified(folder, { against: other, macs })).damaged)).to.deep.equal([]);
    const { damaged } = await verified(folder, { against: other, macs, takesOnlyThere: true });
    expect(found(damaged)).to.deep.equal([[deleted.mac, 'missing', 'likely']]);
  });

  it('tells damage of the other copy when it is found, and that of digests and CONFIG at once', async () => {
    const [folder, refs] = await storeOf(4, 'encrypted');
    const [there] = refs as [VerifiedRef];
    await folder.record(refs);
    await folder.changeDigests();
    const other = await folder.copy();
    await folder.changeConfig();
    await other.flip(there, 0);
    const told: string[] = [];
    const on: VerifyOptions['on'] = {
      opened: ({ config, segments }) => void told.push(`${config} ${segments.map(({ problem }) => problem).join()}`),
      otherDamaged: ({ ref }) => void told.push(ref.mac),
    };
    await verified(folder, { against: other, on });
    expect(told).to.deep.equal(['differs from that of the other copy changed', there.mac]);
  });

  it('reports changed digests', async () => {
    const [folder, refs] = await storeOf(4, 'encrypted');
    await folder.record(refs);
    await folder.changeDigests();
    const report = await verified(folder);
    expect(report.segments.map(({ problem }) => problem)).to.deep.equal(['changed']);
    expect(isWhole(report)).to.equal(false);
  });

  it('reads only a share of the objects, or those that are named', async () => {
    const [folder, refs] = await storeOf(60, 'encrypted');
    const { checked } = await verified(folder, { sample: 0.5 });
    expect(checked.packfile.objects + checked.state.objects).to.equal(30);
    const { checked: one } = await verified(folder, { sample: 0.001 });
    expect(one.packfile.objects + one.state.objects).to.equal(1);
    const [ref] = refs as [VerifiedRef];
    const named = await verified(folder, { macs: [ref.mac.slice(0, 12)] });
    expect(named.checked[ref.kind].objects).to.equal(1);
  });

  it('takes an object that its store cannot read for damage, and fails where the store cannot be read at all', async () => {
    const [folder, refs] = await storeOf(4, 'encrypted');
    const [broken] = refs as [VerifiedRef];
    const inner = await folder.open();
    let isReachable = true;
    const store: VerifiedStore = Object.assign(Object.create(inner) as VerifiedStore, {
      get: async (ref: VerifiedRef): Promise<ObjectRead> => {
        if (ref.mac === broken.mac) throw new StoreError('internal', 'the object became shorter while it was read');
        return inner.get(ref, undefined);
      },
      config: async () => {
        if (!isReachable) throw new StoreError('unavailable', 'no answer');
        return inner.config();
      },
    });
    const { damaged } = await verifyStore(store, { jobs: 4 }, ctx);
    expect(found(damaged)).to.deep.equal([[broken.mac, 'unreadable', undefined]]);
    expect(damaged[0]?.text).to.equal("can't be read: the object became shorter while it was read");
    const run = verifyStore(store, { jobs: 4, on: { planned: () => (isReachable = false) } }, ctx);
    expect((await failure(run)).message).to.equal('no answer');
    await inner.close();
  });

  it('takes no outage for damage', async () => {
    const [folder] = await storeOf(4, 'encrypted');
    const inner = await folder.open();
    let isReachable = false;
    const store: VerifiedStore = Object.assign(Object.create(inner) as VerifiedStore, {
      get: async (ref: VerifiedRef): Promise<ObjectRead> => {
        if (!isReachable) throw new StoreError('internal', 'connection reset');
        return inner.get(ref, undefined);
      },
      // As a client that waits for its server.
      config: async () => {
        isReachable = true;
        return inner.config();
      },
    });
    const on = { planned: () => void (isReachable = false) };
    expect(isWhole(await verifyStore(store, { jobs: 4, on }, ctx))).to.equal(true);
    await inner.close();
  });

  it('finds a CONFIG that was changed, alone in a plaintext store, and by comparing it', async () => {
    for (const encryption of ['plaintext', 'encrypted'] as const) {
      const [folder] = await storeOf(1, encryption);
      const other = await folder.copy();
      await folder.changeConfig();
      const alone = await verified(folder);
      expect(alone.config, encryption).to.equal(
        encryption === 'plaintext'
          ? "has other bytes than when it was written: the digest at its end doesn't match them"
          : undefined,
      );
      const compared = await verified(folder, { against: other });
      expect([compared.config !== undefined, isWhole(compared)]).to.deep.equal([true, false]);
    }
  });

  it('refuses to compare different stores', async () => {
    const [one] = await storeOf(1, 'plaintext');
    const [other] = await storeOf(1, 'encrypted');
    expect(await failure(verified(one, { against: other }))).to.deep.include({ code: 'invalid_argument' });
  });
});
