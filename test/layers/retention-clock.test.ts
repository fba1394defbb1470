import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { instantOf, machineClocks, RetentionClock } from '../../src/layers/retention-clock.js';
import { StoreError } from '../../src/core/errors.js';
import { makeObject, newRef } from '../support/objects.js';
import { expectFailure, listAll } from '../support/store.js';
import { TrashingStore } from '../support/trashing-store.js';
import { dayMs, DatedStore, FakeClocks, hourMs } from './support/dated-store.js';

const yearMs = 365 * dayMs;

describe('RetentionClock', () => {
  let clocks: FakeClocks;
  let store: DatedStore;
  let warnings: string[];
  let opened: RetentionClock[];

  beforeEach(() => {
    clocks = new FakeClocks();
    store = new DatedStore(clocks);
    warnings = [];
    opened = [];
  });

  afterEach(() => {
    for (const clock of opened) clock.stop();
  });

  /** The clock of a gateway that starts now. */
  function started({ start = instantOf(clocks), of = store as DatedStore | TrashingStore } = {}): RetentionClock {
    const log = { warn: (_: object, message: string) => void warnings.push(message) };
    const trash = () => (of instanceof TrashingStore ? of.trash : undefined);
    const clock = new RetentionClock(of, { name: 'blue', log, start, clocks, trash });
    opened.push(clock);
    return clock;
  }

  it('is the wall clock where nothing contradicts that', async () => {
    const empty = started();
    expect(await empty.now()).to.equal(clocks.wallMs());
    await store.had('state', 25 * hourMs);
    await store.had('state', 400 * dayMs);
    const clock = started();
    clocks.pass(90 * dayMs);
    expect(await clock.now()).to.equal(clocks.wallMs());
    expect(warnings).to.deep.equal([]);
  });

  it('goes on evenly when the wall clock jumps', async () => {
    await store.had('state', hourMs);
    const clock = started();
    const startMs = clocks.wallMs();
    for (const jumpMs of [yearMs, -3 * yearMs, 2 * yearMs + 5 * hourMs]) {
      clocks.jump(jumpMs);
      clocks.pass(1000);
    }
    expect(await clock.now()).to.equal(startMs + 3000);
  });

  it('is at most 26 h after the newest state at a start with a wall clock that is ahead, says so, and goes on from there', async () => {
    await store.had('state', 10 * dayMs);
    await store.had('state', 2 * dayMs);
    const newestMs = clocks.wallMs() - 2 * dayMs;
    clocks.jump(2 * yearMs);
    const clock = started();
    clocks.pass(hourMs);
    // What arrives after the start is dated by the wrong clock, and proves nothing.
    await store.had('state', 0);
    expect(await clock.now()).to.equal(newestMs + 27 * hourMs);
    clocks.pass(dayMs);
    expect(await clock.now()).to.equal(newestMs + 51 * hourMs);
    expect(warnings).to.have.length(1);
    expect(warnings[0])
      .to.include('2026-11-27T12:00Z')
      .and.to.include('2028-11-28T12:00Z')
      .and.to.include('trust-clock');
  });

  it('refuses where states are more than an hour ahead of the wall clock, and says what to do', async () => {
    await store.had('state', 0);
    clocks.jump(-50 * 60_000);
    expect(await started().now()).to.equal(clocks.wallMs());
    clocks.jump(-yearMs);
    const { message } = await expectFailure(started().now(), 'permission_denied');
    expect(message).to.include('2025-11-29T11:10Z').and.to.include('2026-11-29T12:00Z').and.to.include('trust-clock');
    expect(warnings).to.have.length(1);
  });

  it('believes an operator, about the moment when the clock is trusted', async () => {
    await store.had('state', 0);
    clocks.jump(-yearMs);
    const behind = started();
    clocks.jump(yearMs);
    behind.trusted = instantOf(clocks);
    const rightMs = clocks.wallMs();
    clocks.jump(yearMs);
    clocks.pass(1000);
    expect(await behind.now()).to.equal(rightMs + 1000);
    behind.trusted = undefined;
    await expectFailure(behind.now(), 'permission_denied');
    const ahead = started();
    ahead.trusted = instantOf(clocks);
    expect(await ahead.now()).to.equal(clocks.wallMs());
  });

  it('looks at the states once for all who ask, and again after a failure', async () => {
    await store.had('state', hourMs);
    const stat = store.stat.bind(store);
    store.stat = async () => {
      throw new StoreError('unavailable', 'no answer');
    };
    const clock = started();
    await expectFailure(clock.now(), 'unavailable');
    store.stat = stat;
    await Promise.all([clock.now(), clock.now()]);
    await clock.now();
    expect(store.stats).to.equal(1);
  });

  it('knows what arrived while the wall clock was set back, and seems older than it is', async () => {
    await store.had('state', hourMs);
    const clock = started();
    const [realMs, beforeMs] = [clocks.wallMs(), clocks.wallMs() - dayMs];
    clocks.jump(-yearMs);
    const arrivedMs = clocks.wallMs();
    clock.compare();
    clocks.pass(hourMs);
    clock.compare();
    const laterMs = clocks.wallMs();
    clocks.jump(yearMs);
    clocks.pass(10 * dayMs);
    clock.compare();
    await clock.now();
    expect(clock.momentOf(arrivedMs)).to.equal(realMs);
    expect(clock.momentOf(laterMs)).to.equal(realMs + hourMs);
    expect(clock.momentOf(beforeMs)).to.equal(beforeMs);
    expect(clock.momentOf(clocks.wallMs())).to.equal(clocks.wallMs());
  });

  it('goes by the start of the gateway in a process that is started after the wall clock has jumped', async () => {
    await store.had('state', hourMs);
    const start = instantOf(clocks);
    clocks.jump(yearMs);
    clocks.pass(dayMs);
    expect(await started({ start }).now()).to.equal(start.wallMs + dayMs);
    // Backups that arrive now are in its future.
    await store.had('state', 0);
    await expectFailure(started({ start }).now(), 'permission_denied');
  });

  it('has a monotonic clock that all processes share', () => {
    const beforeMs = machineClocks.monotonicMs();
    const script = 'process.stdout.write(String(process.hrtime.bigint()))';
    const ms = Number(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' })) / 1e6;
    expect(ms).to.be.within(beforeMs, machineClocks.monotonicMs());
  });

  it('works again a minute after the states of its future are gone, and warns again only of another one', async () => {
    const future = await store.had('state', -2 * dayMs);
    const clock = started();
    for (let i = 0; i < 3; i++) {
      await expectFailure(clock.now(), 'permission_denied');
      clocks.pass(61_000);
    }
    expect(warnings).to.have.length(1);
    await store.had('state', -3 * dayMs);
    await expectFailure(clock.now(), 'permission_denied');
    expect(warnings).to.have.length(2);
    const looks = store.stats;
    for (const mac of (await listAll(store, 'state')).filter((each) => each !== future.mac)) {
      await store.delete({ kind: 'state', mac });
    }
    await store.delete(future);
    clocks.pass(59_000);
    await expectFailure(clock.now(), 'permission_denied');
    expect(store.stats).to.equal(looks);
    clocks.pass(1000);
    expect(await clock.now()).to.equal(clocks.wallMs());
  });

  describe('of a store whose states were all deleted', () => {
    let trashing: TrashingStore;

    beforeEach(() => {
      trashing = new TrashingStore();
      const ref = newRef('state');
      trashing.nowMs = clocks.wallMs() - 5 * dayMs;
      trashing.add(ref, makeObject('state', 100));
      trashing.nowMs = clocks.wallMs() - 2 * dayMs;
      trashing.discard(ref);
    });

    it('is at most 26 h after the last of them was deleted', async () => {
      const deletedMs = trashing.nowMs;
      clocks.jump(yearMs);
      expect(await started({ of: trashing }).now()).to.equal(deletedMs + 26 * hourMs);
    });

    it('is at most 26 h after the last of them had arrived, if they were deleted after the start', async () => {
      const arrivedMs = clocks.wallMs() - 5 * dayMs;
      clocks.jump(-3 * dayMs);
      const clock = started({ of: trashing });
      expect(await clock.now()).to.equal(arrivedMs + 26 * hourMs);
    });
  });
});
