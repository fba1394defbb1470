import { expect } from 'chai';
import fc from 'fast-check';
import { ifPresent } from '../../src/core/errors.js';
import { objectKinds, type ObjectKind, type ObjectRef } from '../../src/core/object.js';
import { Retained } from '../../src/layers/retained.js';
import { instantOf, RetentionClock } from '../../src/layers/retention-clock.js';
import { silent } from '../support/gateway.js';
import { makeObject, newRef } from '../support/objects.js';
import { ctx, expectFailure, listAll, putAll } from '../support/store.js';
import { dayMs, DatedStore, FakeClocks, hourMs } from './support/dated-store.js';

describe('Retained', () => {
  let clocks: FakeClocks;
  let inner: DatedStore;
  let clock: RetentionClock;
  let refusals: number;
  let store: Retained;
  let yesterdays: ObjectRef;

  beforeEach(async () => {
    clocks = new FakeClocks();
    inner = new DatedStore(clocks);
    refusals = 0;
    start();
    // There is a backup each day.
    yesterdays = await inner.had('state', dayMs);
  });

  afterEach(() => clock.stop());

  /** As a gateway that starts now. */
  function start(retentionMs = 30 * dayMs, trashMs = 14 * dayMs): void {
    clock = new RetentionClock(inner, { name: 'blue', log: silent, start: instantOf(clocks), clocks });
    store = new Retained(inner, clock, { retentionMs, trashMs }, () => refusals++);
  }

  for (const kind of objectKinds) {
    for (const [age, agoMs] of Object.entries({ new: 0, 'nearly old enough': 30 * dayMs - 1, old: 30 * dayMs })) {
      const isKept = kind !== 'lock' && age !== 'old';
      it(`${isKept ? 'refuses' : 'lets one'} delete a ${kind} that is ${age}`, async () => {
        const ref = await inner.had(kind, agoMs);
        if (isKept) {
          const { message } = await expectFailure(store.delete(ref, ctx), 'permission_denied');
          const until = agoMs === 0 ? '2026-12-29T12:00Z' : '2026-11-29T12:01Z';
          expect(message).to.equal(`this ${kind} is kept until ${until}: this store's retention is 30d`);
        } else await store.delete(ref, ctx);
        const rest = [...(kind === 'state' ? [yesterdays.mac] : []), ...(isKept ? [ref.mac] : [])];
        expect(await listAll(inner, kind)).to.deep.equal(rest);
        expect(refusals).to.equal(isKept ? 1 : 0);
      });
    }
  }

  it('succeeds where there is nothing, and leaves what arrives at that moment', async () => {
    const ref = newRef('packfile');
    const stat = inner.stat.bind(inner);
    inner.stat = async (of) => {
      const found = ifPresent(stat(of));
      // Another caller's put ends while the delete looks.
      await putAll(inner, ref, makeObject('packfile', 100));
      return (await found) ?? stat(newRef('packfile'));
    };
    await store.delete(ref, ctx);
    expect(await listAll(inner, 'packfile')).to.deep.equal([ref.mac]);
  });

  it('tells its times, and applies others from then on', async () => {
    expect(store.info()).to.deep.include({ retentionMs: 30 * dayMs, trashMs: 14 * dayMs });
    const ref = await inner.had('packfile', dayMs);
    await expectFailure(store.delete(ref, ctx), 'permission_denied');
    store.times = { retentionMs: 0, trashMs: 0 };
    expect(store.info()).to.deep.include({ retentionMs: 0, trashMs: 0 });
    await store.delete(ref, ctx);
    expect(inner.stats).to.equal(1);
  });

  it('moves nothing to a trash while the clock is behind the states, also without retention', async () => {
    clock.stop();
    clocks.jump(-30 * dayMs);
    start(0);
    for (const kind of objectKinds) {
      const ref = await inner.had(kind, dayMs);
      if (kind === 'lock') await store.delete(ref, ctx);
      else {
        const { message } = await expectFailure(store.delete(ref, ctx), 'permission_denied');
        expect(message).to.include("the gateway's clock seems wrong");
      }
    }
    expect(refusals).to.equal(2);
    clock.trusted = instantOf(clocks);
    await store.delete(yesterdays, ctx);
    clock.stop();
    // What is deleted for good needs no clock.
    start(0, 0);
    await store.delete(await inner.had('packfile', dayMs), ctx);
    expect(refusals).to.equal(2);
  });

  it('looks at no states for what is young by any clock', async () => {
    for (let i = 0; i < 20; i++) await inner.had('state', hourMs);
    await expectFailure(store.delete(await inner.had('packfile', dayMs), ctx), 'permission_denied');
    expect(inner.stats).to.equal(1);
  });

  it('never deletes what is younger, whatever happens to the wall clock', async () => {
    const jump = fc.integer({ min: -1000, max: 1000 }).map((days) => ({ do: 'jump', ms: days * dayMs }) as const);
    const pass = fc.integer({ min: 1, max: 60 }).map((hours) => ({ do: 'pass', ms: hours * hourMs }) as const);
    const put = fc.constantFrom<ObjectKind>('packfile', 'state').map((kind) => ({ do: 'put', kind }) as const);
    const other = fc.constantFrom({ do: 'delete all' } as const);
    const steps = fc.array(fc.oneof(jump, pass, put, other), { minLength: 5, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        clock.stop();
        clocks = new FakeClocks();
        inner = new DatedStore(clocks);
        await inner.had('state', hourMs);
        start(3 * dayMs);
        /** When each arrived by the clock that nothing moves. */
        const arrivals = new Map<ObjectRef, number>();
        for (const step of sequence) {
          if (step.do === 'jump') clocks.jump(step.ms);
          else if (step.do === 'pass') clocks.pass(step.ms);
          else if (step.do === 'put') {
            const ref = newRef(step.kind);
            await putAll(store, ref, makeObject(step.kind, 100));
            arrivals.set(ref, clocks.monotonicMs());
          } else {
            for (const [ref, atMs] of arrivals) {
              const wasRefused = await store.delete(ref, ctx).then(
                () => false,
                () => true,
              );
              if (wasRefused) continue;
              expect(clocks.monotonicMs() - atMs).to.be.at.least(3 * dayMs);
              arrivals.delete(ref);
            }
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('says until when by the clock of the gateway, also where that is not believed', async () => {
    const ref = await inner.had('packfile', 20 * dayMs);
    clocks.jump(100 * dayMs);
    clock.stop();
    start();
    const { message } = await expectFailure(store.delete(ref, ctx), 'permission_denied');
    // It counts as 20 days and 2 hours old.
    expect(message).to.include('2027-03-19T10:00Z');
    clocks.pass(10 * dayMs - 2 * hourMs);
    expect(clocks.wallMs()).to.equal(Date.UTC(2027, 2, 19, 10));
    await store.delete(ref, ctx);
  });

  it('lets one delete each object once it is old enough, with backups and a start each day', async () => {
    const ref = await inner.had('packfile', dayMs);
    for (let day = 1; day < 30; day++) {
      await expectFailure(store.delete(ref, ctx), 'permission_denied');
      clocks.pass(dayMs);
      await inner.had('state', 0);
      clock.stop();
      start();
    }
    await store.delete(ref, ctx);
    expect(await listAll(inner, 'packfile')).to.deep.equal([]);
  });
});
