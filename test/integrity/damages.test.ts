import { expect } from 'chai';
import { repairStore } from '../../src/integrity/repair.js';
import { verifyStore } from '../../src/integrity/verify.js';
import { isWhole, type Damage, type VerifiedRef } from '../../src/integrity/verify-report.js';
import { ctx } from '../support/store.js';
import { Folder, randomNumbers } from './support/copies.js';

const count = 1100;
const damages = 1000;

/** A store with 1,000 damages of all kinds, a whole copy of it, and what was damaged how. */
async function damagedStore(seed: number): Promise<{ store: Folder; other: Folder; damaged: Map<string, string> }> {
  const random = randomNumbers(seed);
  const store = await Folder.create('encrypted');
  const refs = await Promise.all(
    Array.from({ length: count }, (_, i) => {
      const kind = random() < 0.8 ? 'packfile' : 'state';
      return store.add(kind, 100 + Math.floor(random() * 400), `${seed} ${i}`);
    }),
  );
  await store.record(refs);
  const other = await store.copy();
  const damaged = new Map<string, string>();
  const left = refs.toSorted(() => random() - 0.5);
  const next = (how: string): VerifiedRef => {
    const ref = left.pop() as VerifiedRef;
    damaged.set(ref.mac, how);
    return ref;
  };
  const work: Promise<void>[] = [];
  while (damaged.size < damages) {
    const kind = damaged.size === damages - 1 ? 0 : random();
    if (kind < 0.4) work.push(store.flip(next('flipped'), random()));
    else if (kind < 0.7) work.push(store.cut(next('cut'), random()));
    else if (kind < 0.8) work.push(store.swap(next('swapped'), next('swapped')));
    else work.push(store.lose(next('lost')));
  }
  await Promise.all(work);
  return { store, other, damaged };
}

function macsOf(found: readonly Damage[]): string[] {
  return found.map(({ ref }) => ref.mac).sort();
}

describe('verify and repair', function () {
  this.timeout(60_000);

  it('find each of 1,000 damages and nothing else, and mend all of them', async () => {
    const { store, other, damaged } = await damagedStore(20_261_130);
    const [opened, against] = [await store.open(), await other.open()];
    const { verified, repaired, left } = await repairStore(opened, { jobs: 4, from: against, apply: true }, ctx);
    expect(macsOf(verified.damaged)).to.deep.equal([...damaged.keys()].sort());
    expect(macsOf(repaired)).to.deep.equal([...damaged.keys()].sort());
    expect(left).to.be.empty;
    for (const { ref, problem } of verified.damaged) {
      const allowed: Record<string, string[]> = {
        flipped: ['header', 'digest'],
        cut: ['size'],
        swapped: ['size', 'digest', 'header'],
        lost: ['missing'],
      };
      expect(allowed[damaged.get(ref.mac) ?? ''], ref.mac).to.include(problem);
    }
    expect(new Set(verified.damaged.map(({ otherCopy }) => otherCopy))).to.deep.equal(new Set(['proven']));
    expect(verified.otherDamaged).to.be.empty;
    expect(isWhole(await verifyStore(opened, { jobs: 4, against }, ctx))).to.equal(true);
    let trashed = 0;
    for await (const { ref } of opened.trash.list()) if (damaged.has(ref.mac)) trashed++;
    expect(trashed).to.equal([...damaged.values()].filter((how) => how !== 'lost').length);
    await Promise.all([opened.close(), against.close()]);
  });
});
