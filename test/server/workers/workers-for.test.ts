import { expect } from 'chai';
import { shareOf, workersFor } from '../../../src/server/workers/workers-for.js';
import { testConfig } from '../../support/gateway.js';

describe('Workers', () => {
  it('are half as many as there are cores, from 1 to 8, unless configured, and one where a store has a quota', () => {
    const config = testConfig({ location: '/x' });
    expect([1, 2, 3, 4, 16, 64].map((cores) => workersFor(config, cores))).to.deep.equal([1, 1, 1, 2, 8, 8]);
    expect(workersFor({ ...config, workers: 12 }, 2)).to.equal(12);
    const withQuota = testConfig({ stores: { blue: { location: '/x', quota: '1GiB' } }, workers: 4 });
    expect(workersFor(withQuota, 64)).to.equal(1);
  });

  it('get equal shares of the connections, rounded up, and all other settings as they are', () => {
    const config = testConfig({ location: '/x', 'max-connections': 9 });
    const share = shareOf(config, 4);
    expect(share.limits).to.deep.equal({ ...config.limits, maxConnections: 3 });
    expect({ ...share, limits: config.limits }).to.deep.equal(config);
  });
});
