import { expect } from 'chai';
import fc from 'fast-check';
import { Semaphore } from '../../src/lib/semaphore.js';

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

describe('Semaphore', () => {
  it('grants as many permits as there are, at once', () => {
    const semaphore = new Semaphore(2);
    expect([semaphore.tryAcquire(), semaphore.tryAcquire(), semaphore.tryAcquire()]).to.deep.equal([true, true, false]);
    semaphore.release();
    expect(semaphore.tryAcquire()).to.equal(true);
  });

  it('grants a released permit to the caller that has waited longest', async () => {
    const semaphore = new Semaphore(1);
    semaphore.tryAcquire();
    const [first, second] = [watch(semaphore.acquire()), watch(semaphore.acquire())];
    semaphore.release();
    await turn();
    expect([first.state, second.state]).to.deep.equal([true, 'waiting']);
    expect(semaphore.tryAcquire()).to.equal(false);
    semaphore.release();
    await turn();
    expect(second.state).to.equal(true);
    expect(semaphore.isIdle).to.equal(false);
    semaphore.release();
    expect(semaphore.isIdle).to.equal(true);
  });

  it('ends a wait after its timeout, and serves the next in the queue', async () => {
    const semaphore = new Semaphore(1);
    semaphore.tryAcquire();
    expect(await semaphore.acquire({ timeoutMs: 0 })).to.equal(false);
    expect(await semaphore.acquire({ timeoutMs: 1 })).to.equal(false);
    const next = watch(semaphore.acquire());
    semaphore.release();
    await turn();
    expect(next.state).to.equal(true);
  });

  it('ends a wait when its signal aborts, with the reason', async () => {
    const semaphore = new Semaphore(1);
    semaphore.tryAcquire();
    const caller = new AbortController();
    const waiting = semaphore.acquire({ signal: caller.signal });
    const next = watch(semaphore.acquire());
    caller.abort(new Error('gone'));
    let reason: unknown;
    await waiting.catch((error: unknown) => (reason = error));
    expect(reason).to.have.property('message', 'gone');
    await semaphore.acquire({ signal: caller.signal }).catch((error: unknown) => (reason = error));
    expect(reason).to.equal(caller.signal.reason);
    semaphore.release();
    await turn();
    expect(next.state).to.equal(true);
  });

  it('grants new permits to waiting callers, and takes permits away only as they are released', async () => {
    const semaphore = new Semaphore(1);
    semaphore.tryAcquire();
    const queue = [1, 2, 3].map(() => watch(semaphore.acquire()));
    semaphore.resize(3);
    await turn();
    expect(queue.map(({ state }) => state)).to.deep.equal([true, true, 'waiting']);
    semaphore.resize(1);
    semaphore.release();
    semaphore.release();
    await turn();
    expect(queue[2]?.state).to.equal('waiting');
    semaphore.release();
    await turn();
    expect(queue[2]?.state).to.equal(true);
    expect(semaphore.tryAcquire()).to.equal(false);
  });

  it('runs so many tasks at a time, first in, first out', async () => {
    const semaphore = new Semaphore(2);
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
    await Promise.allSettled([0, 1, 2, 3, 4].map((index) => semaphore.run({}, work(index))));
    expect(most).to.equal(2);
    expect(order).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('grants a weight only when all of it is available, and lets no lighter caller overtake', async () => {
    const semaphore = new Semaphore(4);
    semaphore.tryAcquire(2);
    expect(semaphore.tryAcquire(3)).to.equal(false);
    const heavy = watch(semaphore.acquire({ weight: 3 }));
    const light = watch(semaphore.acquire());
    expect(semaphore.tryAcquire()).to.equal(false);
    await turn();
    expect([heavy.state, light.state]).to.deep.equal(['waiting', 'waiting']);
    expect(semaphore.waiting).to.equal(2);
    semaphore.release(2);
    await turn();
    expect([heavy.state, light.state]).to.deep.equal([true, true]);
    semaphore.release(3);
    semaphore.release();
    expect(semaphore.isIdle).to.equal(true);
  });

  it('grants a weight that is larger than all permits alone', async () => {
    const semaphore = new Semaphore(2);
    expect(semaphore.tryAcquire(5)).to.equal(true);
    const next = watch(semaphore.acquire());
    await turn();
    expect(next.state).to.equal('waiting');
    semaphore.release(5);
    await turn();
    expect(next.state).to.equal(true);
    expect(semaphore.tryAcquire(5)).to.equal(false);
  });

  it('serves lighter callers when a heavy one before them gives up', async () => {
    const semaphore = new Semaphore(2);
    semaphore.tryAcquire();
    const caller = new AbortController();
    const heavy = watch(semaphore.acquire({ weight: 2, signal: caller.signal }));
    const light = watch(semaphore.acquire());
    caller.abort();
    await turn();
    expect([heavy.state, light.state]).to.deep.equal(['failed', true]);
    const timedOut = watch(semaphore.acquire({ weight: 2, timeoutMs: 1 }));
    semaphore.release();
    const last = semaphore.acquire();
    expect(await last).to.equal(true);
    expect(timedOut.state).to.equal(false);
  });

  it('never exceeds its permits and leaves no caller waiting, whatever happens in which order', async () => {
    const steps = fc.array(fc.constantFrom('start', 'end', 'give up', 'grow', 'shrink'), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        let permits = 2;
        const semaphore = new Semaphore(permits);
        const inside: (() => void)[] = [];
        const waiting = new Set<AbortController>();
        const all: Promise<unknown>[] = [];
        let tooMany = false;
        const start = (caller: AbortController): Promise<void> =>
          semaphore.run({ signal: caller.signal }, async () => {
            waiting.delete(caller);
            tooMany ||= inside.length >= permits;
            await new Promise<void>((resolve) => inside.push(resolve));
          });
        for (const step of sequence) {
          const caller = new AbortController();
          if (step === 'start') all.push(start(caller).catch(() => waiting.delete(caller)));
          if (step === 'start') waiting.add(caller);
          if (step === 'end') inside.shift()?.();
          if (step === 'give up') for (const gone of [...waiting].slice(1, 2)) gone.abort();
          if (step === 'grow' || step === 'shrink') semaphore.resize((permits = step === 'grow' ? permits + 1 : 2));
          await turn();
          expect(tooMany).to.equal(false);
          if (waiting.size > 0) expect(inside.length).to.be.at.least(permits);
        }
        semaphore.resize(1000);
        await turn();
        for (const end of inside) end();
        await Promise.all(all);
        expect(semaphore.isIdle).to.equal(true);
      }),
      { numRuns: 50 },
    );
  });
});
