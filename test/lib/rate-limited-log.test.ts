import { expect } from 'chai';
import { RateLimitedLog } from '../../src/lib/rate-limited-log.js';

describe('RateLimitedLog', () => {
  it('has one line a minute of each kind, and says how many were suppressed', () => {
    const lines: [object, string][] = [];
    let nowMs = 0;
    const log = new RateLimitedLog({ warn: (fields, message) => lines.push([fields, message]) }, () => nowMs);
    for (let i = 0; i < 3; i++) log.warn('full', { i }, 'too many');
    log.warn('handshake', {}, 'failed');
    nowMs = 59_999;
    log.warn('full', { i: 3 }, 'too many');
    nowMs = 60_000;
    log.warn('full', { i: 4 }, 'too many');
    log.warn('full', { i: 5 }, 'too many');
    nowMs = 180_000;
    log.warn('handshake', {}, 'failed');
    expect(lines).to.deep.equal([
      [{ i: 0 }, 'too many'],
      [{}, 'failed'],
      [{ i: 4, suppressed: 3 }, 'too many (and 3 more since the last such line)'],
      [{}, 'failed'],
    ]);
  });
});
