import { expect } from 'chai';
import fc from 'fast-check';
import { Slots } from '../../src/lib/semaphore.js';

const never = new AbortController().signal;

/** What has become of a promise so far. */
function watch<T>(promise: Promise<T>): { state: T | 'waiting' | 'failed' } {
  const watched: { state: T | 'waiting' | 'failed' } = { state: 'waiting' };
  promise.then(
    (value) => (watched.state = value),
    () => (watched.state = 'failed'),
  );
  return watched;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Slots', () => {
  it('give out as many places as there are, at once', () => {
    const slots = new Slots(2);
    expect([slots.tryTake(), slots.tryTake(), slots.tryTake()]).to.deep.equal([true, true, false]);
    slots.give();
    expect(slots.tryTake()).to.equal(true);
  });

  it('hand a place that comes free to who has waited longest', async () => {
    const slots = new Slots(1);
    slots.tryTake();
    const [first, second] = [watch(slots.take(never)), watch(slots.take(never))];
    slots.give();
    await turn();
    expect([first.state, second.state]).to.deep.equal([true, 'waiting']);
    expect(slots.tryTake()).to.equal(false);
    slots.give();
    await turn();
    expect(second.state).to.equal(true);
    expect(slots.isIdle).to.equal(false);
    slots.give();
    expect(slots.isIdle).to.equal(true);
  });

  it('let nobody wait longer than agreed, who then is in nobody’s way', async () => {
    const slots = new Slots(1);
    slots.tryTake();
    expect(await slots.take(never, 0)).to.equal(false);
    expect(await slots.take(never, 1)).to.equal(false);
    const next = watch(slots.take(never));
    slots.give();
    await turn();
    expect(next.state).to.equal(true);
  });

  it('let go of who gives up, with the reason why', async () => {
    const slots = new Slots(1);
    slots.tryTake();
    const caller = new AbortController();
    const waiting = slots.take(caller.signal);
    const next = watch(slots.take(never));
    caller.abort(new Error('gone'));
    let reason: unknown;
    await waiting.catch((error: unknown) => (reason = error));
    expect(reason).to.have.property('message', 'gone');
    await slots.take(caller.signal).catch((error: unknown) => (reason = error));
    expect(reason).to.equal(caller.signal.reason);
    slots.give();
    await turn();
    expect(next.state).to.equal(true);
  });

  it('have room for those in line when there are more of them, and wait for too many to end when there are fewer', async () => {
    const slots = new Slots(1);
    slots.tryTake();
    const line = [1, 2, 3].map(() => watch(slots.take(never)));
    slots.resize(3);
    await turn();
    expect(line.map(({ state }) => state)).to.deep.equal([true, true, 'waiting']);
    slots.resize(1);
    slots.give();
    slots.give();
    await turn();
    expect(line[2]?.state).to.equal('waiting');
    slots.give();
    await turn();
    expect(line[2]?.state).to.equal(true);
    expect(slots.tryTake()).to.equal(false);
  });

  it('let a few work at a time, the others in the order in which they came', async () => {
    const slots = new Slots(2);
    const order: number[] = [];
    let busy = 0;
    let most = 0;
    const work = (index: number) => async () => {
      order.push(index);
      most = Math.max(most, ++busy);
      await new Promise((resolve) => setTimeout(resolve, 5));
      busy--;
      if (index === 1) throw new Error('failed');
    };
    await Promise.allSettled([0, 1, 2, 3, 4].map((index) => slots.run({ signal: never }, work(index))));
    expect(most).to.equal(2);
    expect(order).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('never let more go on than there are places, and leave nobody behind, whatever happens in which order', async () => {
    const steps = fc.array(fc.constantFrom('start', 'end', 'give up', 'grow', 'shrink'), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        let places = 2;
        const slots = new Slots(places);
        const inside: (() => void)[] = [];
        const waiting = new Set<AbortController>();
        const all: Promise<unknown>[] = [];
        let tooMany = false;
        const start = (caller: AbortController): Promise<void> =>
          slots.run({ signal: caller.signal }, async () => {
            waiting.delete(caller);
            tooMany ||= inside.length >= places;
            await new Promise<void>((resolve) => inside.push(resolve));
          });
        for (const step of sequence) {
          const caller = new AbortController();
          if (step === 'start') all.push(start(caller).catch(() => waiting.delete(caller)));
          if (step === 'start') waiting.add(caller);
          if (step === 'end') inside.shift()?.();
          if (step === 'give up') for (const gone of [...waiting].slice(1, 2)) gone.abort();
          if (step === 'grow' || step === 'shrink') slots.resize((places = step === 'grow' ? places + 1 : 2));
          await turn();
          expect(tooMany).to.equal(false);
          if (waiting.size > 0) expect(inside.length).to.be.at.least(places);
        }
        slots.resize(1000);
        await turn();
        for (const end of inside) end();
        await Promise.all(all);
        expect(slots.isIdle).to.equal(true);
      }),
      { numRuns: 50 },
    );
  });
});
