import { expect } from 'chai';
import { CallerLimits } from '../../src/layers/limited.js';
import { ctx, expectFailure } from '../support/store.js';

describe('CallerLimits', () => {
  it('remember a caller only while it has operations that run or wait', async () => {
    const limits = new CallerLimits({ maxRequests: 2, maxUploads: 1, queueMs: 60_000 });
    const ends = [await limits.acquire('a', 'request', ctx), await limits.acquire('a', 'upload', ctx)];
    const waiting = limits.acquire('a', 'upload', ctx);
    for (let i = 0; i < 100; i++) (await limits.acquire(`other ${i}`, 'upload', ctx))();
    expect(limits.activeCallers).to.equal(1);
    for (const end of ends) end();
    expect(limits.activeCallers).to.equal(1);
    (await waiting)();
    expect(limits.activeCallers).to.equal(0);
  });

  it('release an upload permit if no request permit follows in time', async () => {
    const limits = new CallerLimits({ maxRequests: 1, maxUploads: 1, queueMs: 1 });
    const end = await limits.acquire('a', 'request', ctx);
    const { message } = await expectFailure(limits.acquire('a', 'upload', ctx), 'too_many_requests');
    expect(message).to.include('too many requests at once: the limit for each caller is 1');
    end();
    (await limits.acquire('a', 'upload', ctx))();
    expect(limits.activeCallers).to.equal(0);
  });

  it('let no failed wait count for the same caller’s later operations', async () => {
    const limits = new CallerLimits({ maxRequests: 1, maxUploads: 1, queueMs: 60_000 });
    const end = await limits.acquire('a', 'request', ctx);
    const gone = new AbortController();
    const waiting = limits.acquire('a', 'request', gone);
    gone.abort();
    end();
    const again = await limits.acquire('a', 'request', ctx);
    await expectFailure(waiting, 'canceled');
    limits.setLimits({ maxRequests: 1, maxUploads: 1, queueMs: 0 });
    await expectFailure(limits.acquire('a', 'request', ctx), 'too_many_requests');
    again();
    expect(limits.activeCallers).to.equal(0);
  });
});
