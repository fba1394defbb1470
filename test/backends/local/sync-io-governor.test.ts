import { expect } from 'chai';
import { SyncIoGovernor } from '../../../src/backends/local/sync-io-governor.js';

describe('SyncIoGovernor', () => {
  let nowMs: number;
  let governor: SyncIoGovernor;

  beforeEach(() => {
    nowMs = 0;
    governor = new SyncIoGovernor(() => nowMs);
  });

  /** Where an operation ran that takes `ms` on the event loop. */
  function run(ms: number): string {
    const onEventLoop = (): string => {
      nowMs += ms;
      return 'loop';
    };
    return governor.run(onEventLoop) ?? 'pool';
  }

  it('runs quick operations on the event loop', () => {
    for (let i = 0; i < 1000; i++) expect(run(0.1)).to.equal('loop');
  });

  it('moves to the thread pool for a while after a slow one, and then tries again', () => {
    expect(run(5)).to.equal('loop');
    for (let i = 0; i < 64; i++) expect(run(5)).to.equal('pool');
    expect(run(0.1)).to.equal('loop');
    expect(run(0.1)).to.equal('loop');
  });

  it('moves there also after one that fails', () => {
    const fail = (): never => {
      nowMs += 5;
      throw new Error('EIO');
    };
    expect(() => governor.run(fail)).to.throw('EIO');
    expect(run(0.1)).to.equal('pool');
  });
});
