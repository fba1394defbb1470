import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { StoreError } from '../../../src/core/errors.js';
import { PendingWrites, type Traffic } from '../../../src/backends/sftp/pending-writes.js';
import { expectFailure } from '../../support/store.js';

const MiB = 2 ** 20;

describe('bytes that an SFTP server has not acknowledged', () => {
  it('wait for room while those of all files together are as many as a server near by needs', async () => {
    const traffic = { bytes: 0 };
    const [one, other] = [new PendingWrites(traffic), new PendingWrites(traffic)];
    const first = deferred();
    void one.add(first.promise, MiB);
    void other.add(deferred().promise, MiB);
    const room = watch(one.waitForRoom(MiB, 0));
    await turn();
    expect(room.there).to.equal(false);
    first.resolve();
    await turn();
    expect(room.there).to.equal(true);
  });

  it('may be one packet of each file, however many the others have', async () => {
    const traffic = { bytes: 100 * MiB };
    const room = watch(new PendingWrites(traffic).waitForRoom(MiB, 0));
    await turn();
    expect(room.there).to.equal(true);
  });

  it('may be more, the further away the server is', async () => {
    const writes = new PendingWrites({ bytes: 0 });
    void writes.add(deferred().promise, 2 * MiB);
    const [near, far] = [watch(writes.waitForRoom(MiB, 1)), watch(writes.waitForRoom(MiB, 30))];
    await turn();
    expect([near.there, far.there]).to.deep.equal([false, true]);
  });

  it('are 4 MiB of one file at most, however far away the server is', async () => {
    const writes = new PendingWrites({ bytes: 0 });
    void writes.add(deferred().promise, 4 * MiB);
    const room = watch(writes.waitForRoom(MiB, 1000));
    await turn();
    expect(room.there).to.equal(false);
  });

  it('are counted until they are over, also where that is a failure, which the next call gets', async () => {
    const traffic: Traffic = { bytes: 0 };
    const writes = new PendingWrites(traffic);
    const failed = writes.add(Promise.reject(new StoreError('no_space', 'full')), MiB);
    expect(traffic.bytes).to.equal(MiB);
    await failed;
    expect(traffic.bytes).to.equal(0);
    for (const next of [writes.waitForRoom(1, 0), writes.flush()]) await expectFailure(next, 'no_space');
    await writes.settled();
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
