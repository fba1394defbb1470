import { expect } from 'chai';
import { RateLimiter } from '../../src/lib/rate-limiter.js';

describe('RateLimiter', () => {
  it('lets its rate pass and no more, of all who take from it together', async () => {
    // Time itself is what is tested.
    const limiter = new RateLimiter(1_000_000);
    const began = performance.now();
    await Promise.all(
      Array.from({ length: 3 }, async () => {
        for (let i = 0; i < 10; i++) await limiter.take(10_000);
      }),
    );
    // The last one waits for the 290,000 bytes before it, less what may pass at once.
    expect(performance.now() - began).to.be.within(185, 5000);
  });

  it('lets the first bytes pass at once, however many they are', async () => {
    let nowMs = 1000;
    const limiter = new RateLimiter(10, () => nowMs);
    await limiter.take(1_000_000);
    nowMs += 100_000_000;
    await limiter.take(1);
  });

  it('ends a wait when its caller is gone', async () => {
    const limiter = new RateLimiter(1);
    await limiter.take(1_000_000);
    const gone = new AbortController();
    const waiting = limiter.take(1, gone.signal).catch((error: unknown) => error);
    gone.abort();
    expect(await waiting).to.have.property('name', 'AbortError');
    expect(await limiter.take(1, gone.signal).catch((error: unknown) => error)).to.have.property('name', 'AbortError');
  });
});
