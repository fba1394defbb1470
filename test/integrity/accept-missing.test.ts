import { expect } from 'chai';
import { acceptMissing } from '../../src/integrity/accept-missing.js';
import type { VerifiedRef, VerifyReport } from '../../src/integrity/verify-report.js';
import { verifyStore } from '../../src/integrity/verify.js';
import { ctx } from '../support/store.js';
import { Folder } from './support/copies.js';

describe('Accepting that objects are missing', () => {
  async function verify(folder: Folder): Promise<VerifyReport> {
    const store = await folder.open();
    try {
      return await verifyStore(store, { jobs: 2 }, ctx);
    } finally {
      await store.close();
    }
  }

  async function accept(folder: Folder): Promise<readonly VerifiedRef[]> {
    let accepted: readonly VerifiedRef[] = [];
    const store = await folder.open();
    await folder.withRecorder(async (recorder) => {
      accepted = await acceptMissing(store, recorder, ctx);
    });
    await store.close();
    return accepted;
  }

  const missingIn = ({ damaged }: VerifyReport): string[] =>
    damaged.filter(({ problem }) => problem === 'missing').map(({ ref }) => ref.mac);

  it('ends that they are reported, and no other damage, and keeps their digests', async () => {
    const folder = await Folder.create('encrypted');
    const refs: VerifiedRef[] = [];
    for (const kind of ['packfile', 'packfile', 'state'] as const)
      refs.push(await folder.add(kind, 5000, `${kind} ${refs.length}`));
    await folder.record(refs);
    const [deleted, flipped, state] = refs as [VerifiedRef, VerifiedRef, VerifiedRef];
    const bytes = await folder.read(deleted);
    for (const ref of [deleted, state]) await folder.lose(ref);
    await folder.flip(flipped, 0.5);
    expect(missingIn(await verify(folder))).to.have.members([deleted.mac, state.mac]);

    expect(await accept(folder)).to.have.deep.members([deleted, state]);
    const { damaged, segments } = await verify(folder);
    expect(damaged.map(({ ref }) => ref)).to.deep.equal([flipped]);
    expect(segments).to.deep.equal([]);
    expect(await accept(folder)).to.deep.equal([]);

    await folder.write(deleted, bytes);
    expect((await verify(folder)).proofs.digest, 'it is known by its digest still').to.equal(1);
  });
});
