import { expect } from 'chai';
import fc from 'fast-check';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Places } from '../../../src/lib/places.js';
import { Leases, type LeaseRequests } from '../../../src/server/workers/leases.js';
import { Ledger } from '../../../src/server/workers/ledger.js';

const never = new AbortController().signal;
setMaxListeners(0, never);
const key = 'uploads of somebody';

/** Some workers and their primary, whose messages arrive in their order, a little later. */
class Group {
  readonly workers = new Map<number, Leases>();
  readonly ledger: Ledger;
  messages = 0;

  constructor(
    size: number,
    public places: number,
    idleEveryMs?: number,
  ) {
    this.ledger = new Ledger(size, () => this.places, {
      granted: (worker, name, places) => this.send(() => this.workers.get(worker)?.granted(name, places)),
      recalled: (worker, name, places) => this.send(() => this.workers.get(worker)?.recalled(name, places)),
    });
    for (let id = 1; id <= size; id++) {
      const requests: LeaseRequests = {
        ask: (name) => this.send(() => this.workers.has(id) && this.ledger.ask(id, name)),
        giveBack: (name, places) => this.send(() => this.workers.has(id) && this.ledger.giveBack(id, name, places)),
      };
      const leases = new Leases(requests, idleEveryMs);
      this.workers.set(id, leases);
    }
  }

  of(worker: number): Places {
    const leases = this.workers.get(worker);
    if (leases === undefined) throw new Error(`no worker ${worker}`);
    return leases.places(key);
  }

  end(worker: number): void {
    this.workers.get(worker)?.close();
    this.workers.delete(worker);
    this.ledger.gone(worker);
  }

  private send(deliver: () => unknown): void {
    this.messages++;
    setImmediate(deliver);
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('Places that workers share', () => {
  it('are all there for one worker, and cost no message while it has some', async () => {
    const group = new Group(3, 48);
    const places = group.of(1);
    for (let i = 0; i < 48; i++) expect(await places.take(never)).to.equal(true);
    expect(group.messages).to.be.below(30);
    const { messages } = group;
    for (let i = 0; i < 100; i++) {
      places.give();
      expect(places.tryTake()).to.equal(true);
    }
    expect(group.messages).to.equal(messages);
  });

  it('go to all who want some at once, as long as there are any', async () => {
    const group = new Group(8, 64);
    const places = [group.of(1), group.of(2)];
    const taken = places.flatMap((each) => Array.from({ length: 30 }, () => each.take(never, 1000)));
    expect(await Promise.all(taken)).to.deep.equal(taken.map(() => true));
  });

  it('are asked for again by a worker that once got none in time, and had nothing to do since', async () => {
    const group = new Group(2, 1, 5);
    const [a, b] = [group.of(1), group.of(2)];
    await a.take(never);
    expect(await b.take(never, 0)).to.equal(false);
    await sleep(50);
    a.give();
    await settled();
    expect(await b.take(never, 1000)).to.equal(true);
  });

  it('come back from whoever has no use for them, though others hold more of them', async () => {
    const group = new Group(3, 12);
    const [a, b, c] = [group.of(1), group.of(2), group.of(3)];
    for (let i = 0; i < 8; i++) await a.take(never);
    for (let i = 0; i < 4; i++) await b.take(never);
    for (let i = 0; i < 4; i++) b.give();
    const taken = Array.from({ length: 4 }, () => c.take(never, 1000));
    expect(await Promise.all(taken)).to.deep.equal([true, true, true, true]);
  });

  it('come back from a worker that has no use for them, at once', async () => {
    const group = new Group(2, 2);
    const [a, b] = [group.of(1), group.of(2)];
    expect([await a.take(never), await a.take(never)]).to.deep.equal([true, true]);
    a.give();
    a.give();
    expect([await b.take(never), await b.take(never)]).to.deep.equal([true, true]);
    expect(a.tryTake()).to.equal(false);
  });

  it('come back from a worker that uses them when it is done, also where others of its own wait', async () => {
    const group = new Group(2, 1);
    const [a, b] = [group.of(1), group.of(2)];
    await a.take(never);
    const order: string[] = [];
    const other = b.take(never).then(() => order.push('b'));
    await settled();
    const own = a.take(never).then(() => order.push('a'));
    await settled();
    expect(order).to.deep.equal([]);
    a.give();
    await other;
    b.give();
    await own;
    expect(order).to.deep.equal(['b', 'a']);
  });

  it('of a worker that ended go to the others', async () => {
    const group = new Group(2, 1);
    await group.of(1).take(never);
    const waiting = group.of(2).take(never);
    await settled();
    group.end(1);
    expect(await waiting).to.equal(true);
  });

  it('are not waited for longer than is asked', async () => {
    const group = new Group(2, 1);
    await group.of(1).take(never);
    expect(await group.of(2).take(never, 0)).to.equal(false);
  });

  it('become fewer, or more, for all', async () => {
    const group = new Group(2, 1);
    await group.of(1).take(never);
    const waiting = group.of(2).take(never);
    await settled();
    group.places = 2;
    group.ledger.changed();
    expect(await waiting).to.equal(true);
    group.places = 1;
    group.ledger.changed();
    await settled();
    group.of(1).give();
    await settled();
    expect(group.of(1).tryTake()).to.equal(false);
  });

  it('are never more in use than there are, whatever happens, and nobody waits for ever', async () => {
    const step = fc.record({ worker: fc.integer({ min: 1, max: 3 }), what: fc.constantFrom('take', 'give', 'pause') });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 60 }), async (places, steps) => {
        const group = new Group(3, places);
        const inUse = new Map<number, number>([1, 2, 3].map((id) => [id, 0]));
        let waiting = 0;
        const give = (worker: number): void => {
          inUse.set(worker, (inUse.get(worker) ?? 0) - 1);
          group.of(worker).give();
        };
        const take = (worker: number): void => {
          waiting++;
          void group
            .of(worker)
            .take(never)
            .then(() => {
              waiting--;
              inUse.set(worker, (inUse.get(worker) ?? 0) + 1);
              expect([...inUse.values()].reduce((a, b) => a + b)).to.be.at.most(places);
            });
        };
        for (const { worker, what } of steps) {
          if (what === 'take') take(worker);
          else if (what === 'pause') await settled();
          else if ((inUse.get(worker) ?? 0) > 0) give(worker);
        }
        for (let round = 0; round < 100 && waiting > 0; round++) {
          await settled();
          for (const [worker, count] of inUse) for (let i = 0; i < count; i++) give(worker);
        }
        expect(waiting, 'who waits').to.equal(0);
        for (const leases of group.workers.values()) leases.close();
      }),
      { numRuns: 60 },
    );
  });
});
