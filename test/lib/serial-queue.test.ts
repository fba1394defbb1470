import { expect } from 'chai';
import { OneByOne } from '../../src/lib/serial-queue.js';
import { settle } from '../auth/fake-clock.js';

describe('OneByOne', () => {
  it('keeps the order of each key, whatever comes of the work, and nothing when it is over', async () => {
    const queues = new OneByOne();
    const done: string[] = [];
    const work =
      (name: string, fails = false) =>
      async (): Promise<void> => {
        await settle();
        done.push(name);
        if (fails) throw new Error(name);
      };
    const all = Promise.allSettled([
      queues.run('a', work('a1', true)),
      queues.run('a', work('a2')),
      queues.run('b', work('b1')),
    ]);
    expect([queues.waiting('a'), queues.waiting('b'), queues.waiting('c'), queues.size]).to.deep.equal([2, 1, 0, 2]);
    expect((await all).map(({ status }) => status)).to.deep.equal(['rejected', 'fulfilled', 'fulfilled']);
    expect(done).to.deep.equal(['a1', 'b1', 'a2']);
    expect(queues.size).to.equal(0);
  });
});
