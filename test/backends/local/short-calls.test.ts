import { expect } from 'chai';
import { StoreError } from '../../../src/core/errors.js';
import { ShortCalls } from '../../../src/backends/local/short-calls.js';

/** Calls that take as long as given, in milliseconds; which way each went. */
async function waysOf(durations: readonly number[]): Promise<string[]> {
  let now = 0;
  const calls = new ShortCalls(() => now);
  const ways: string[] = [];
  for (const duration of durations) {
    const here = (): string => {
      now += duration;
      return 'loop';
    };
    ways.push(await calls.run(here, () => Promise.resolve('pool')));
  }
  return ways;
}

describe('ShortCalls', () => {
  it('are done on the event loop while the disk is quick', async () => {
    expect(new Set(await waysOf(Array.from({ length: 50 }, () => 0.2)))).to.deep.equal(new Set(['loop']));
  });

  it('go through the thread pool after two slow ones, and are tried again later', async () => {
    const ways = await waysOf([10, 10, ...Array.from({ length: 9 }, () => 0)]);
    expect(ways).to.deep.equal(['loop', 'loop', ...Array.from({ length: 8 }, () => 'pool'), 'loop']);
  });

  it('fail with what the failure means, and slow failures count as well', async () => {
    let now = 0;
    const calls = new ShortCalls(() => now);
    const failing = (): never => {
      now += 10;
      throw new Error('no');
    };
    const outcomes: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const inPool = (): Promise<never> => Promise.reject(new Error('pool'));
      outcomes.push(
        await calls.run(failing, inPool, (error) => new StoreError('unavailable', String(error))).catch(String),
      );
    }
    expect(outcomes).to.deep.equal(['StoreError: Error: no', 'StoreError: Error: no', 'StoreError: Error: pool']);
  });
});
