import { expect } from 'chai';
import { StoreError } from '../../src/core/errors.js';
import { Pace, type Transfer } from '../../src/frontends/pace.js';

/** A promise that a test settles. */
function part(): { promise: Promise<void>; come: () => void } {
  let come = (): void => undefined;
  const promise = new Promise<void>((resolve) => (come = resolve));
  return { promise, come };
}

describe('Pace', () => {
  let nowMs: number;
  let pace: Pace;

  beforeEach(() => {
    nowMs = 0;
    pace = new Pace({ minRate: 1000, stallMs: 10_000 }, () => nowMs);
  });

  /** Lets time go by, and looks at who is too slow. */
  async function pass(ms: number): Promise<void> {
    nowMs += ms;
    pace.check();
    // What was given up says so.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Waits for something of the client's; tells what became of that. */
  function waiting(transfer: Transfer, bytes?: number): { come: () => Promise<void>; state: () => string } {
    const { promise, come } = part();
    let state = 'waiting';
    transfer.wait(promise, bytes).then(
      () => (state = 'done'),
      (error: unknown) => (state = error instanceof StoreError ? `${error.code}: ${error.message}` : String(error)),
    );
    return {
      come: async () => {
        come();
        await new Promise((resolve) => setImmediate(resolve));
      },
      state: () => state,
    };
  }

  it('gives up on who sends nothing over the stall time, and says how slow that is', async () => {
    const client = waiting(pace.start());
    await pass(9999);
    expect(client.state()).to.equal('waiting');
    await pass(1);
    expect(client.state()).to.equal('too_slow: too slow: less than 1000 bytes a second for 10 s');
  });

  it('gives up on who trickles, each bit in good time', async () => {
    const transfer = pace.start();
    for (let second = 0; second < 9; second++) {
      const client = waiting(transfer);
      await pass(1000);
      await client.come();
      transfer.moved(999);
      expect(client.state()).to.equal('done');
    }
    const last = waiting(transfer);
    await pass(1000);
    expect(last.state()).to.include('too_slow');
  });

  it('lets who is a little faster than that go on for as long as it takes', async () => {
    const transfer = pace.start();
    for (let second = 0; second < 1000; second++) {
      const client = waiting(transfer);
      await pass(1000);
      await client.come();
      transfer.moved(1200);
      expect(client.state(), `second ${second}`).to.equal('done');
    }
  });

  it('lets who was fast pause for the stall time, and no longer', async () => {
    const transfer = pace.start();
    const fast = waiting(transfer);
    await pass(1000);
    await fast.come();
    transfer.moved(1_000_000);
    const pause = waiting(transfer);
    // The end of the time in which it was fast, and a whole one in which nothing came.
    await pass(9000);
    await pass(9999);
    expect(pause.state()).to.equal('waiting');
    await pass(1);
    expect(pause.state()).to.include('too_slow');
  });

  it('counts no time in which the client is not waited for', async () => {
    const transfer = pace.start();
    for (let round = 0; round < 5; round++) {
      const client = waiting(transfer);
      await pass(1000);
      await client.come();
      // The store takes its time.
      await pass(1_000_000);
      expect(client.state()).to.equal('done');
    }
    const client = waiting(transfer);
    await pass(4999);
    expect(client.state()).to.equal('waiting');
    await pass(1);
    expect(client.state()).to.include('too_slow');
  });

  it('gives a large piece the time that it takes at the minimum rate', async () => {
    const transfer = pace.start();
    const client = waiting(transfer, 30_000);
    await pass(39_999);
    expect(client.state()).to.equal('waiting');
    await client.come();
    expect(client.state()).to.equal('done');
    const next = waiting(transfer, 30_000);
    // The first one's bytes count for the time that it took.
    await pass(30_001);
    await pass(39_999);
    expect(next.state()).to.equal('waiting');
    await pass(1);
    expect(next.state()).to.include('too_slow');
  });

  it('gives no piece more than five stall times, however large it is', async () => {
    const client = waiting(pace.start(), 1_000_000_000);
    await pass(49_999);
    expect(client.state()).to.equal('waiting');
    await pass(1);
    expect(client.state()).to.include('too_slow');
  });

  it('waits for ever at a rate of nothing', async () => {
    pace.limits = { minRate: 0, stallMs: 10_000 };
    const client = waiting(pace.start(), 100_000);
    await pass(1_000_000_000);
    expect(client.state()).to.equal('waiting');
  });

  it('holds whoever is under way to other limits when they change', async () => {
    const client = waiting(pace.start());
    await pass(5000);
    pace.limits = { minRate: 1000, stallMs: 5000 };
    await pass(0);
    expect(client.state()).to.equal('too_slow: too slow: less than 1000 bytes a second for 5 s');
  });

  it('passes on what becomes of the wait, and holds nobody to it any more', async () => {
    const transfer = pace.start();
    const lost = new Error('lost');
    const thrown: unknown = await transfer.wait(Promise.reject(lost)).catch((error: unknown) => error);
    expect(thrown).to.equal(lost);
    expect(await transfer.wait(Promise.resolve('here'))).to.equal('here');
    await pass(1_000_000);
    const client = waiting(transfer);
    await pass(9999);
    expect(client.state()).to.equal('waiting');
    await client.come();
  });
});
