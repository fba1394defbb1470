import { expect } from 'chai';
import { stat } from 'node:fs/promises';
import { StoreError } from '../../src/core/errors.js';
import type { ObjectRead } from '../../src/core/store.js';
import { repairStore, type RepairableStore, type RepairOptions } from '../../src/integrity/repair.js';
import type { VerifiedStore } from '../../src/integrity/store-copy.js';
import { verifyStore } from '../../src/integrity/verify.js';
import type { VerifiedRef } from '../../src/integrity/verify-report.js';
import { ctx, expectFailure, failure, readAll } from '../support/store.js';
import { Folder } from './support/copies.js';

describe('repairing a store', () => {
  let folder: Folder;
  let other: Folder;
  let refs: VerifiedRef[];
  let store: Awaited<ReturnType<Folder['open']>>;
  let from: Awaited<ReturnType<Folder['open']>>;

  beforeEach(async () => {
    folder = await Folder.create('encrypted');
    refs = [];
    for (const i of [0, 1, 2, 3]) refs.push(await folder.add(i === 3 ? 'state' : 'packfile', 500 + i, `repair ${i}`));
    other = await folder.copy();
    [store, from] = [await folder.open(), await other.open()];
  });

  afterEach(() => Promise.all([store.close(), from.close()]));

  const repaired = async (options: Partial<RepairOptions> = {}): Promise<{ done: string[]; left: string[] }> => {
    const { repaired, left } = await repairStore(store, { jobs: 4, from, apply: true, ...options }, ctx);
    return { done: repaired.map(({ ref }) => ref.mac), left: left.map(({ ref }) => ref.mac) };
  };

  const isMended = async (ref: VerifiedRef): Promise<boolean> => (await folder.read(ref)).equals(await other.read(ref));

  it('changes nothing unless it is told to', async () => {
    const [ref] = refs as [VerifiedRef];
    await folder.record(refs);
    await folder.cut(ref, 0.5);
    const before = await folder.read(ref);
    expect(await repaired({ apply: false })).to.deep.equal({ done: [ref.mac], left: [] });
    expect((await folder.read(ref)).equals(before)).to.equal(true);
  });

  it('keeps the time when an object had arrived', async () => {
    const [ref] = refs as [VerifiedRef];
    await folder.record(refs);
    await folder.cut(ref, 0.5);
    const { mtimeMs } = await stat(folder.file(ref));
    await repaired();
    expect((await stat(folder.file(ref))).mtimeMs).to.be.closeTo(mtimeMs, 0.01);
    expect(await isMended(ref)).to.equal(true);
  });

  it('takes what nothing proves only if it is told to, and what only the other copy has where it is named', async () => {
    const [differs, lost, untouched] = refs as [VerifiedRef, VerifiedRef, VerifiedRef];
    await folder.flip(differs, 0.5);
    await folder.flip(untouched, 0.5);
    await folder.lose(lost);
    const unsure = [differs, untouched].map(({ mac }) => mac).sort();
    const { done, left } = await repaired();
    expect({ done, left: left.sort() }).to.deep.equal({ done: [], left: unsure });
    const macs = [differs.mac.slice(0, 20), lost.mac];
    expect(await repaired({ macs })).to.deep.equal({ done: [lost.mac], left: [differs.mac] });
    expect(await repaired({ macs, unproven: true })).to.deep.equal({ done: [differs.mac], left: [] });
    expect(await Promise.all([differs, lost, untouched].map(isMended))).to.deep.equal([true, true, false]);
  });

  it('leaves what both copies have damaged', async () => {
    const [ref] = refs as [VerifiedRef];
    await folder.record(refs);
    await folder.cut(ref, 0.5);
    await other.flip(ref, 0.5);
    expect(await repaired()).to.deep.equal({ done: [], left: [ref.mac] });
  });

  it('replaces no good copy by one whose digest was recorded when it was damaged already, or that has garbage behind its end', async () => {
    const [flipped, grown] = refs as [VerifiedRef, VerifiedRef];
    await other.flip(flipped, 0.5);
    const earlier = await other.open();
    await other.withRecorder(async (record) => void (await verifyStore(earlier, { jobs: 4, record }, ctx)));
    await earlier.close();
    const good = await folder.read(grown);
    await other.write(grown, Buffer.concat([good, Buffer.alloc(4096)]));
    const { left, verified } = await repairStore(store, { jobs: 4, from, apply: true }, ctx);
    expect(left.map(({ ref, otherCopy }) => [ref.mac, otherCopy])).to.deep.equal([[flipped.mac, 'unsure']]);
    expect(verified.otherDamaged.map(({ ref, otherCopy }) => [ref.mac, otherCopy])).to.deep.equal([
      [grown.mac, 'likely'],
    ]);
    expect((await folder.read(grown)).equals(good)).to.equal(true);
  });

  it('brings back nothing that a client deletes meanwhile', async () => {
    const [deleted, cut] = refs as [VerifiedRef, VerifiedRef];
    await folder.record(refs);
    for (const ref of [deleted, cut]) await folder.cut(ref, 0.5);
    let reads = 0;
    const slow: VerifiedStore = Object.assign(Object.create(from) as VerifiedStore, {
      get: async (each: VerifiedRef): Promise<ObjectRead> => {
        if (each.mac === deleted.mac && ++reads === 2) await store.delete(deleted);
        return from.get(each, undefined);
      },
    });
    expect(await repaired({ from: slow })).to.deep.equal({ done: [cut.mac], left: [] });
    await expectFailure(store.stat(deleted), 'not_found');
  });

  it('gives the damaged bytes to whoever keeps them', async () => {
    const [ref, lost] = refs as [VerifiedRef, VerifiedRef];
    await folder.record(refs);
    await folder.flip(ref, 0.5);
    await folder.lose(lost);
    const damaged = await folder.read(ref);
    const kept: (readonly [VerifiedRef, Buffer])[] = [];
    const keep = async (each: VerifiedRef, read: ObjectRead): Promise<void> =>
      void kept.push([each, await readAll({ ...read, release: () => undefined })]);
    await repaired({ keep });
    expect(kept).to.deep.equal([[ref, damaged]]);
  });

  it('changes nothing where the other copy gives other bytes than before, and mends it at the next run', async () => {
    const [ref] = refs as [VerifiedRef];
    await folder.record(refs);
    await folder.flip(ref, 0.5);
    const before = await folder.read(ref);
    let reads = 0;
    const unsteady: VerifiedStore = Object.assign(Object.create(from) as VerifiedStore, {
      get: async (each: VerifiedRef): Promise<ObjectRead> => {
        if (each.mac === ref.mac && ++reads === 2) return from.get(refs[1] as VerifiedRef, undefined);
        return from.get(each, undefined);
      },
    });
    await expectFailure(repaired({ from: unsteady }), 'unavailable');
    expect((await folder.read(ref)).equals(before)).to.equal(true);
    expect((await repaired({ from: unsteady })).done).to.deep.equal([ref.mac]);
    expect(await isMended(ref)).to.equal(true);
  });

  it('is refused where objects cannot be replaced, and where the other copy is of another store', async () => {
    const remote: RepairableStore = Object.assign(Object.create(store) as RepairableStore, { replace: undefined });
    const refused = await failure(repairStore(remote, { jobs: 4, from, apply: true }, ctx));
    expect(refused).to.be.instanceOf(StoreError).and.deep.include({ code: 'unimplemented' });
    const stranger = await (await Folder.create('plaintext')).open();
    await expectFailure(repaired({ from: stranger }), 'invalid_argument');
    await stranger.close();
  });
});
