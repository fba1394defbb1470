import { expect } from 'chai';
import { ExpiringLru } from '../../src/lib/expiring-lru.js';

describe('ExpiringLru', () => {
  let nowMs: number;
  let lru: ExpiringLru<number>;
  beforeEach(() => {
    nowMs = 1000;
    lru = new ExpiringLru({ maxEntries: 2, ttlMs: 100, now: () => nowMs });
  });

  it('drops the entry that was set least recently when it is full', () => {
    lru.set('a', 1);
    lru.set('b', 2);
    lru.set('a', 3);
    lru.set('c', 4);
    expect(['a', 'b', 'c'].map((key) => lru.get(key))).to.deep.equal([3, undefined, 4]);
  });

  it('returns no entry after its time to live, nor one from the future', () => {
    lru.set('a', 1);
    nowMs += 99;
    expect(lru.get('a')).to.equal(1);
    nowMs += 1;
    expect(lru.get('a')).to.equal(undefined);
    nowMs = 999;
    expect(lru.get('a')).to.equal(undefined);
  });
});
