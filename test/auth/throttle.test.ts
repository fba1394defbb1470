import { expect } from 'chai';
import { LoginThrottle } from '../../src/auth/throttle.js';
import { StoreError } from '../../src/core/errors.js';
import { expectFailure } from '../support/store.js';
import { FakeClock, settle } from './fake-clock.js';

const wrong = new StoreError('unauthenticated', 'wrong');
const bad = '192.0.2.1';

describe('LoginThrottle', () => {
  let clock: FakeClock;
  let throttle: LoginThrottle;
  beforeEach(() => {
    clock = new FakeClock();
    throttle = new LoginThrottle(clock);
  });

  /** What comes of failed logins that all begin now: how they ended so far, in the order in which they did. */
  function failures(count: number, address = bad): string[] {
    const ends: string[] = [];
    for (let i = 0; i < count; i++) {
      throttle.fail(address, wrong).catch((error: unknown) => ends.push(StoreError.from(error).code));
    }
    return ends;
  }

  it('fails five times at once, then later and later, up to five seconds', async () => {
    expect(failures(5)).to.have.length(0);
    await settle();
    expect(clock.sleeping).to.deep.equal([]);
    const delays: number[] = [];
    for (let i = 0; i < 8; i++) {
      const ends = failures(1);
      await settle();
      expect(ends).to.deep.equal([]);
      delays.push(...clock.sleeping);
      await clock.pass(clock.sleeping[0] ?? 0);
      expect(ends).to.deep.equal(['unauthenticated']);
    }
    expect(delays).to.deep.equal([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  });

  it('fails with what it was given', async () => {
    const error = await expectFailure(throttle.fail(bad, wrong), 'unauthenticated');
    expect(error).to.equal(wrong);
  });

  it('holds back sixteen answers of an address, and refuses the others at once', async () => {
    failures(5);
    const ends = failures(20);
    await settle();
    expect(clock.sleeping).to.have.length(16);
    expect(ends).to.deep.equal(Array(4).fill('too_many_requests'));
    await clock.pass(5000);
    expect(ends.slice(4)).to.deep.equal(Array(16).fill('unauthenticated'));
    const later = failures(1);
    await settle();
    expect(later).to.deep.equal([]);
    expect(clock.sleeping).to.deep.equal([5000]);
  });

  it('forgets a failure after a minute', async () => {
    failures(5);
    await clock.pass(59_999);
    failures(1);
    await settle();
    expect(clock.sleeping).to.deep.equal([100]);
    await clock.pass(1);
    // Only the last one counts now.
    const ends = failures(4);
    await settle();
    expect(ends).to.have.length(4);
    failures(1);
    await settle();
    expect(clock.sleeping.at(-1)).to.equal(100);
  });

  it('does not delay other addresses', async () => {
    failures(30);
    const ends = failures(5, '192.0.2.2');
    await settle();
    expect(ends).to.deep.equal(Array(5).fill('unauthenticated'));
  });

  it('takes a /64 of IPv6 for one address', async () => {
    failures(5, '2001:db8::1');
    failures(1, '2001:db8::2');
    failures(1, '2001:db8:0:1::1');
    await settle();
    expect(clock.sleeping).to.deep.equal([100]);
  });

  it('never slows down a unix socket', async () => {
    const ends = failures(100, 'unix socket');
    await settle();
    expect(ends).to.deep.equal(Array(100).fill('unauthenticated'));
  });

  it('remembers ten thousand addresses, those that failed last', async () => {
    failures(5, '10.0.0.0');
    failures(5, '10.0.0.1');
    for (let i = 2; i <= 10_000; i++) failures(1, `10.0.${i >> 8}.${i & 255}`);
    failures(1, '10.0.0.0');
    await settle();
    // The first one was forgotten, as there were 10,001; the second one when the first came again.
    expect(clock.sleeping).to.deep.equal([]);
    failures(4, '10.0.0.0');
    failures(1, '10.0.0.0');
    failures(1, '10.0.0.1');
    await settle();
    expect(clock.sleeping).to.deep.equal([100]);
  });

  it('forgets whose last failure is oldest, not whose first is', async () => {
    failures(4, '10.0.0.0');
    failures(1, '10.0.0.1');
    failures(1, '10.0.0.0');
    for (let i = 2; i <= 10_000; i++) failures(1, `10.0.${i >> 8}.${i & 255}`);
    failures(1, '10.0.0.0');
    await settle();
    expect(clock.sleeping).to.deep.equal([100]);
  });

  it('counts failed logins that others have answered, and tells of its own', async () => {
    const told: string[] = [];
    throttle = new LoginThrottle({ now: clock.now, sleep: clock.sleep, onFailure: (address) => told.push(address) });
    for (let i = 0; i < 5; i++) throttle.count(bad);
    expect(told).to.deep.equal([]);
    failures(1);
    await settle();
    expect(clock.sleeping).to.deep.equal([100]);
    throttle.attempt('192.0.2.2', () => Promise.resolve(false), wrong).catch(() => undefined);
    await settle();
    expect(told).to.deep.equal([bad, '192.0.2.2']);
  });

  it('uses its own timer by default', async () => {
    throttle = new LoginThrottle({ now: clock.now });
    failures(5);
    await expectFailure(throttle.fail(bad, wrong), 'unauthenticated');
  });

  describe('with a check that takes long', () => {
    /** Checks that were begun, to be ended by the test. */
    let checks: ((right: boolean) => void)[];
    let ends: string[];
    beforeEach(() => {
      checks = [];
      ends = [];
    });

    function attempts(count: number, address = bad): void {
      const check = (): Promise<boolean> => new Promise((resolve) => checks.push(resolve));
      for (let i = 0; i < count; i++) {
        throttle.attempt(address, check, wrong).then(
          () => ends.push('in'),
          (error: unknown) => ends.push(StoreError.from(error).code),
        );
      }
    }

    /** Ends the check that began last. */
    async function end(right: boolean): Promise<void> {
      checks.at(-1)?.(right);
      await settle();
    }

    it('accepts right passwords and refuses wrong ones', async () => {
      attempts(2);
      await settle();
      await end(true);
      await end(false);
      expect(ends).to.deep.equal(['in', 'unauthenticated']);
    });

    it('runs one at a time for each address', async () => {
      attempts(3);
      attempts(1, '192.0.2.2');
      await settle();
      expect(checks).to.have.length(2);
      checks[0]?.(true);
      await settle();
      expect(checks).to.have.length(3);
    });

    it('takes a /64 of IPv6 for one address', async () => {
      attempts(1, '2001:db8::1');
      attempts(1, '2001:db8::2');
      await settle();
      expect(checks).to.have.length(1);
    });

    it('runs the next check after one that failed', async () => {
      const broken = throttle.attempt(bad, () => Promise.reject(new StoreError('unavailable', 'broken')), wrong);
      attempts(1);
      await expectFailure(broken, 'unavailable');
      await settle();
      await end(true);
      expect(ends).to.deep.equal(['in']);
    });

    it('counts what was wrong, and begins only after the delay from then on', async () => {
      attempts(5);
      for (let i = 0; i < 5; i++) {
        await settle();
        await end(false);
      }
      expect(ends).to.deep.equal(Array(5).fill('unauthenticated'));
      attempts(1);
      await settle();
      expect(checks).to.have.length(5);
      expect(clock.sleeping).to.deep.equal([100]);
      await clock.pass(100);
      expect(checks).to.have.length(6);
      // The answer was held back already.
      await end(false);
      expect(ends).to.have.length(6);
      attempts(1);
      await settle();
      expect(clock.sleeping).to.deep.equal([200]);
    });

    it('holds back a wrong answer whose check began before there was reason to', async () => {
      attempts(6);
      for (let i = 0; i < 6; i++) {
        await settle();
        await end(false);
      }
      expect(ends).to.have.length(5);
      expect(clock.sleeping).to.deep.equal([100]);
      await clock.pass(100);
      expect(ends).to.have.length(6);
    });

    it('refuses without a check while sixteen answers are delayed', async () => {
      failures(5 + 16);
      await settle();
      attempts(1);
      await settle();
      expect(ends).to.deep.equal(['too_many_requests']);
      expect(checks).to.have.length(0);
    });

    it('limits how many checks wait', async () => {
      attempts(258);
      await settle();
      expect(ends).to.deep.equal(['too_many_requests', 'too_many_requests']);
      expect(checks).to.have.length(1);
    });
  });
});
