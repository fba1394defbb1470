import { expect } from 'chai';
import { SerialQueue } from '../../src/lib/serial-queue.js';
import { settle } from '../auth/fake-clock.js';

describe('SerialQueue', () => {
  it('runs one task of each key at a time, in order, whether the ones before succeed or fail', async () => {
    const queue = new SerialQueue();
    const done: string[] = [];
    const task =
      (name: string, fails = false) =>
      async (): Promise<void> => {
        await settle();
        done.push(name);
        if (fails) throw new Error(name);
      };
    const all = Promise.allSettled([
      queue.run(task('a1', true), 'a'),
      queue.run(task('a2'), 'a'),
      queue.run(task('b1'), 'b'),
      queue.run(task('c1')),
    ]);
    expect(['a', 'b', 'd', undefined].map((key) => queue.length(key))).to.deep.equal([2, 1, 0, 1]);
    expect((await all).map(({ status }) => status)).to.deep.equal(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
    expect(done).to.deep.equal(['a1', 'b1', 'c1', 'a2']);
    expect(queue.length('a')).to.equal(0);
  });
});
