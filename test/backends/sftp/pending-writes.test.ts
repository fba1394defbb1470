import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { PendingWrites, windowBytes } from '../../../src/backends/sftp/pending-writes.js';
import { StoreError } from '../../../src/core/errors.js';
import { Semaphore } from '../../../src/lib/semaphore.js';
import { expectFailure } from '../../support/store.js';

const MiB = 2 ** 20;

describe('writes that an SFTP server has not acknowledged', () => {
  let window: Semaphore;
  /** Acknowledges the writes that were started, in their order. */
  let acknowledge: (() => void)[];

  const start = (): Promise<void> => new Promise((resolve) => acknowledge.push(resolve));

  beforeEach(() => {
    window = new Semaphore(windowBytes(0));
    acknowledge = [];
  });

  /** A file with a write that needs no room, since it was the only one. */
  async function openFile(): Promise<PendingWrites> {
    const writes = new PendingWrites(window);
    await writes.write(1, 0, start);
    return writes;
  }

  it('wait while those of all files together are as many bytes as a server nearby needs', async () => {
    const [one, other] = [await openFile(), await openFile()];
    await one.write(MiB, 0, start);
    await other.write(MiB, 0, start);
    const fifth = other.write(MiB, 0, start);
    await turn();
    expect(acknowledge).to.have.length(4);
    acknowledge[2]?.();
    await fifth;
    expect(acknowledge).to.have.length(5);
  });

  it('are started in the order of their requests, so that no file has to wait for all of another', async () => {
    const [one, other] = [await openFile(), await openFile()];
    const started: string[] = [];
    const named = (name: string) => () => {
      started.push(name);
      return start();
    };
    await one.write(2 * MiB, 0, named('one'));
    const waiting = [one.write(MiB, 0, named('one')), other.write(MiB, 0, named('other'))];
    await turn();
    acknowledge[2]?.();
    await Promise.all(waiting);
    expect(started).to.deep.equal(['one', 'one', 'other']);
  });

  it('may be one of each file, however many the others have', async () => {
    await (await openFile()).write(2 * MiB, 0, start);
    await new PendingWrites(window).write(MiB, 0, start);
    expect(acknowledge).to.have.length(3);
  });

  it('may be more, the further away the server is, up to 10 MiB', async () => {
    const writes = await openFile();
    await writes.write(2 * MiB, 1, start);
    await writes.write(2 * MiB, 30, start);
    await writes.write(6 * MiB, 1000, start);
    const more = writes.write(1, 1000, start);
    await turn();
    expect(acknowledge).to.have.length(4);
    acknowledge[1]?.();
    await more;
  });

  it('count until they end, also with a failure, which the next call gets', async () => {
    const writes = await openFile();
    await writes.write(2 * MiB, 0, () => Promise.reject(new StoreError('no_space', 'full')));
    acknowledge[0]?.();
    await writes.settled();
    for (const next of [writes.write(MiB, 0, start), writes.flush()]) await expectFailure(next, 'no_space');
    expect(acknowledge).to.have.length(1);
    expect(window.isIdle).to.equal(true);
  });
});
