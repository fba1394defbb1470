import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { StoreError } from '../../../src/core/errors.js';
import { UnderWay, type Traffic } from '../../../src/backends/sftp/under-way.js';
import { expectFailure } from '../../support/store.js';

const MiB = 2 ** 20;

describe('bytes that are on their way to an SFTP server', () => {
  it('wait for room while those of all files together are as many as a server near by needs', async () => {
    const traffic = { bytes: 0 };
    const [one, other] = [new UnderWay(traffic), new UnderWay(traffic)];
    const first = deferred();
    void one.add(first.promise, MiB);
    void other.add(deferred().promise, MiB);
    const room = watch(one.room(MiB, 0));
    await turn();
    expect(room.there).to.equal(false);
    first.resolve();
    await turn();
    expect(room.there).to.equal(true);
  });

  it('may be one packet of each file, however many the others have', async () => {
    const traffic = { bytes: 100 * MiB };
    const room = watch(new UnderWay(traffic).room(MiB, 0));
    await turn();
    expect(room.there).to.equal(true);
  });

  it('may be more, the further away the server is', async () => {
    const underWay = new UnderWay({ bytes: 0 });
    void underWay.add(deferred().promise, 2 * MiB);
    const [near, far] = [watch(underWay.room(MiB, 1)), watch(underWay.room(MiB, 30))];
    await turn();
    expect([near.there, far.there]).to.deep.equal([false, true]);
  });

  it('are 4 MiB of one file at most, however far away the server is', async () => {
    const underWay = new UnderWay({ bytes: 0 });
    void underWay.add(deferred().promise, 4 * MiB);
    const room = watch(underWay.room(MiB, 1000));
    await turn();
    expect(room.there).to.equal(false);
  });

  it('are counted until they are over, also where that is a failure, which whoever asks next gets', async () => {
    const traffic: Traffic = { bytes: 0 };
    const underWay = new UnderWay(traffic);
    const failed = underWay.add(Promise.reject(new StoreError('no_space', 'full')), MiB);
    expect(traffic.bytes).to.equal(MiB);
    await failed;
    expect(traffic.bytes).to.equal(0);
    for (const next of [underWay.room(1, 0), underWay.settled()]) await expectFailure(next, 'no_space');
    await underWay.over();
  });
});

function deferred(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

/** Tells whether it is there yet. */
function watch(work: Promise<void>): { there: boolean } {
  const state = { there: false };
  void work.then(() => (state.there = true));
  return state;
}
