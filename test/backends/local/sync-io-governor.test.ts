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
  function run(ms: number): Promise<string> {
    const onEventLoop = (): string => {
      nowMs += ms;
      return 'loop';
    };
    return governor.run(onEventLoop, async () => 'pool');
  }

  it('runs quick operations on the event loop', async () => {
    for (let i = 0; i < 1000; i++) expect(await run(0.1)).to.equal('loop');
  });

  it('moves to the thread pool for a while after a slow one, and then tries again', async () => {
    expect(await run(5)).to.equal('loop');
    for (let i = 0; i < 64; i++) expect(await run(5)).to.equal('pool');
    expect(await run(0.1)).to.equal('loop');
    expect(await run(0.1)).to.equal('loop');
  });

  it('moves there also after one that fails', async () => {
    const failed = governor.run(
      () => {
        nowMs += 5;
        throw new Error('EIO');
      },
      async () => 'pool',
    );
    expect(await failed.catch((error: unknown) => (error as Error).message)).to.equal('EIO');
    expect(await run(0.1)).to.equal('pool');
  });
});
