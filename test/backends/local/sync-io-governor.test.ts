import { expect } from 'chai';
import { SyncIoGovernor } from '../../../src/backends/local/sync-io-governor.js';

/** Runs operations that take as long as given on the event loop, in milliseconds, where 1 is quick; tells where each one ran. */
function run(durations: readonly number[], count: number): ('loop' | 'pool')[] {
  let now = 0;
  let next = 0;
  const governor = new SyncIoGovernor(() => now);
  const where: ('loop' | 'pool')[] = [];
  for (let i = 0; i < count; i++) {
    const onEventLoop = (): void => {
      where.push('loop');
      now += durations[next++] ?? 0;
    };
    const inThreadPool = async (): Promise<void> => void where.push('pool');
    void governor.run(onEventLoop, inThreadPool, 1);
  }
  return where;
}

/** How many operations in a row went to the thread pool, each time. */
function poolRuns(where: readonly ('loop' | 'pool')[]): number[] {
  return where
    .join(' ')
    .split('loop')
    .map((part) => part.split('pool').length - 1)
    .filter((length) => length > 0);
}

describe('SyncIoGovernor', () => {
  it('stays on the event loop while the disk answers from memory', () => {
    expect(new Set(run([], 50))).to.deep.equal(new Set(['loop']));
  });

  it('goes to the thread pool after two slow operations, and for longer after each further one that follows', () => {
    expect(poolRuns(run([10, 10, 10, 10], 100))).to.deep.equal([8, 16, 32]);
    expect(poolRuns(run([10, 0, 0, 10], 60))).to.deep.equal([8]);
  });

  it('stays on the event loop where a slow operation comes now and then', () => {
    const durations = Array.from({ length: 200 }, (_, i) => (i % 10 === 0 ? 10 : 0));
    expect(poolRuns(run(durations, 200))).to.deep.equal([]);
  });

  it('passes failures on, and counts slow ones as well', async () => {
    let now = 0;
    const governor = new SyncIoGovernor(() => now);
    const onEventLoop = (): never => {
      now += 10;
      throw new Error('loop');
    };
    const outcomes: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      outcomes.push(await governor.run(onEventLoop, () => Promise.reject(new Error('pool')), 1).catch(String));
    }
    expect(outcomes).to.deep.equal(['Error: loop', 'Error: loop', 'Error: pool']);
  });

  it('starts over after many quick ones', () => {
    const slow = [10, 10];
    const quick = Array.from({ length: 64 }, () => 0);
    expect(poolRuns(run([...slow, ...quick, ...slow], 160))).to.deep.equal([8, 8]);
  });
});
