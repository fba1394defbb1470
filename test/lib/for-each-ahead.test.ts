import { expect } from 'chai';
import { forEachAhead } from '../../src/lib/for-each-ahead.js';
import { deferred } from '../support/deferred.js';

describe('forEachAhead', () => {
  it('starts the next item whenever one is done, and no more at a time than told', async () => {
    const slow = deferred();
    const done: number[] = [];
    let running = 0;
    let most = 0;
    await forEachAhead([0, 1, 2, 3, 4, 5], 2, async (item) => {
      most = Math.max(most, ++running);
      if (item === 0) await slow.promise;
      running--;
      done.push(item);
      if (item === 5) slow.resolve();
    });
    expect(done).to.deep.equal([1, 2, 3, 4, 5, 0]);
    expect(most).to.equal(2);
  });

  it('fails with the first error once nothing is running, and starts nothing after it', async () => {
    const running = deferred();
    const started: number[] = [];
    let isDone = false;
    const work = forEachAhead([0, 1, 2, 3], 2, async (item) => {
      started.push(item);
      if (item === 1) throw new Error('first');
      await running.promise;
      isDone = true;
      throw new Error('second');
    });
    setImmediate(() => running.resolve());
    expect(String(await work.catch((error: unknown) => error))).to.equal('Error: first');
    expect({ started, isDone }).to.deep.equal({ started: [0, 1], isDone: true });
  });
});
