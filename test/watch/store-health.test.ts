import { expect } from 'chai';
import { StoreHealth, type HealthLimits } from '../../src/watch/store-health.js';
import type { StoreReport } from '../../src/watch/store-report.js';

describe('StoreHealth', () => {
  /** The texts of the events of these reports, one after the other; '' for none. */
  function told(reports: readonly Partial<StoreReport>[], limits: Partial<HealthLimits>[] = []): string[] {
    const health = new StoreHealth();
    return reports.map((report, i) =>
      health
        .take({ store: 'blue', timeMs: i, ...report }, { warnFreeBytes: 1000, ...limits[i] })
        .map(({ event, text }) => `${event}: ${text}`)
        .join('; '),
    );
  }

  it('tells that a store is unreachable at the second problem in a row, once, and that it is reachable again', () => {
    const problem = 'the store does not answer within 30 s';
    expect(told([{ problem }, {}, { problem }, { problem }, { problem }, {}, {}])).to.deep.equal([
      '',
      '',
      '',
      `store-unreachable: blue can't be used: ${problem}`,
      '',
      'store-reachable: blue can be used again',
      '',
    ]);
  });

  it('tells of each store for itself', () => {
    const events = told([{ problem: 'a' }, { store: '', problem: 'b' }, { store: '', problem: 'c' }]);
    expect(events).to.deep.equal(['', '', "store-unreachable: the default store can't be used: c"]);
  });

  it('tells of a disk that gets full once, until it has been a tenth over the limit', () => {
    const free = [1000, 999, 500, undefined, 1099, 900, 1100, 999].map((freeBytes) =>
      freeBytes === undefined ? { problem: 'x' } : { freeBytes },
    );
    const [, first, ...rest] = told(free);
    expect(first).to.equal('disk-nearly-full: the disk of blue is nearly full: 999 B are free');
    expect(rest.map((text) => text.slice(0, 16))).to.deep.equal(['', '', '', '', '', 'disk-nearly-full']);
    expect(told([{ freeBytes: 0 }], [{ warnFreeBytes: 0 }])).to.deep.equal(['']);
  });

  it('tells of a quota of which 95 % are used, once', () => {
    const quotaBytes = 2000;
    const used = [undefined, 1899, 1900, 2100, 1890, 1880, 1900].map((usedBytes) => ({ quotaBytes, usedBytes }));
    const events = told(
      used.map(() => ({})),
      [...used, { usedBytes: 5000 }],
    );
    expect(events[2]).to.equal('disk-nearly-full: the quota of blue is nearly used up: 100 B of 2.0 KiB are left');
    expect(events.map((text) => text !== '')).to.deep.equal([false, false, true, false, false, false, true]);
    expect(told([{}], [{ usedBytes: 5000 }])).to.deep.equal(['']);
  });
});
