import { expect } from 'chai';
import { MirrorHealth } from '../../src/watch/mirror-health.js';
import { configOf } from '../support/config.js';

const hourMs = 3_600_000;

describe('What is told of mirrors', () => {
  let health: MirrorHealth;

  const stores = (mirror: { to?: string; from?: string; lag?: string } | undefined) =>
    configOf({ stores: { blue: { location: '/srv/blue', ...(mirror && { mirror }) } } }).stores;
  const told = (nowMs: number): string[] => health.changes(nowMs).map(({ event, text }) => `${event}: ${text}`);

  beforeEach(() => {
    health = new MirrorHealth();
    health.configure(stores({ to: '/mirror' }), 0);
  });

  it('is that one has been behind for longer than its lag, once, with what is missing and why, and that it has caught up', () => {
    health.take({ store: 'blue', completeAsOfMs: hourMs });
    expect(told(3 * hourMs)).to.deep.equal([]);
    const missing = { objects: 12, bytes: 3 * 1024 ** 3 };
    health.take({ store: 'blue', completeAsOfMs: hourMs, missing, problem: 'no route to host' });
    expect(told(4 * hourMs)).to.deep.equal([
      'mirror-behind: the mirror of blue has been behind for 3 h: 12 objects (3.0 GiB) to copy; the last run failed: no route to host',
    ]);
    expect(told(5 * hourMs)).to.deep.equal([]);
    expect(health.status('blue', 5 * hourMs)).to.deep.equal({
      direction: 'to',
      lagMs: 4 * hourMs,
      isBehind: true,
      missingObjects: 12,
      missingBytes: missing.bytes,
      problem: 'no route to host',
    });
    health.take({ store: 'blue', completeAsOfMs: 5 * hourMs, lastSuccessMs: 5 * hourMs });
    expect(told(5 * hourMs)).to.deep.equal(['mirror-caught-up: the mirror of blue has caught up']);
    expect(told(6 * hourMs)).to.deep.equal([]);
  });

  it('counts from the start where it was never complete', () => {
    expect(told(2 * hourMs)).to.deep.equal([]);
    expect(told(2 * hourMs + 1)).to.deep.equal(['mirror-behind: the mirror of blue has been behind for 2 h']);
  });

  it('counts from when it began, before a restart, where it was never complete', () => {
    const kept = { store: 'blue', beganMs: -5 * hourMs };
    health.take(kept);
    expect(told(1)).to.deep.equal([]);
    health.take({ ...kept, outcome: 'failed' });
    expect(told(1)).to.deep.equal(['mirror-behind: the mirror of blue has been behind for 5 h']);
  });

  it('counts from before a restart, once a run has ended, or could have', () => {
    const kept = { store: 'blue', completeAsOfMs: -5 * hourMs };
    health.take(kept);
    expect(told(1)).to.deep.equal([]);
    expect(health.status('blue', 1)).to.deep.include({ lagMs: 5 * hourMs + 1, isBehind: false });
    health.take({ ...kept, outcome: 'failed' });
    expect(told(1)).to.deep.equal(['mirror-behind: the mirror of blue has been behind for 5 h']);
  });

  it('says of a store that is a mirror that it is behind itself', () => {
    health.configure(stores({ from: '/first' }), 0);
    expect(told(3 * hourMs)).to.deep.equal(['mirror-behind: blue, which is a mirror, has been behind for 3 h']);
  });

  it('keeps what is known over a reload, goes by the new lag, and forgets a mirror that is removed', () => {
    health.take({ store: 'blue', completeAsOfMs: 0 });
    health.configure(stores({ to: '/mirror', lag: '5h' }), hourMs);
    expect(told(4 * hourMs)).to.deep.equal([]);
    expect(told(6 * hourMs)).to.have.length(1);
    health.configure(stores(undefined), 6 * hourMs);
    expect(told(7 * hourMs)).to.deep.equal([]);
    expect(health.status('blue', 7 * hourMs)).to.equal(undefined);
  });
});
