import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { mapAhead } from '../../src/lib/map-ahead.js';

describe('mapAhead', () => {
  it('gives results in the order of the items, whichever is ready first', async () => {
    const results: number[] = [];
    for await (const each of mapAhead([30, 1, 20, 2, 10], 3, (ms) => sleep(ms, ms))) results.push(each);
    expect(results).to.deep.equal([30, 1, 20, 2, 10]);
  });

  it('runs as many calls ahead as asked for, and no more', async () => {
    let running = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await sleep(2);
      running--;
    };
    for await (const each of mapAhead(Array.from({ length: 20 }), 4, work)) await sleep(1, each);
    expect(most).to.equal(4);
  });

  it('throws the first failure after the results before it, when no call is running any more', async () => {
    let running = 0;
    const seen: number[] = [];
    const work = async (i: number): Promise<number> => {
      running++;
      await sleep(i === 2 ? 1 : 10);
      running--;
      if (i >= 2) throw new Error(`failed ${i}`);
      return i;
    };
    let error: unknown;
    try {
      for await (const each of mapAhead([0, 1, 2, 3, 4], 3, work)) seen.push(each);
    } catch (caught) {
      error = caught;
    }
    expect(seen).to.deep.equal([0, 1]);
    expect(error).to.be.an('error').with.property('message', 'failed 2');
    expect(running).to.equal(0);
  });

  it('waits for running calls when the consumer stops', async () => {
    let running = 0;
    const work = async (): Promise<void> => {
      running++;
      await sleep(10);
      running--;
    };
    const results = mapAhead([1, 2, 3, 4], 3, work);
    await results.next();
    await results.return();
    expect(running).to.equal(0);
  });
});
