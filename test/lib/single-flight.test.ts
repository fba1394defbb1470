import { expect } from 'chai';
import { SingleFlight } from '../../src/lib/single-flight.js';
import { settle } from '../auth/fake-clock.js';

describe('SingleFlight', () => {
  it('runs a task once for all that ask while it runs, and again after that', async () => {
    const flight = new SingleFlight<number>();
    let runs = 0;
    const task = async (): Promise<number> => {
      await settle();
      return ++runs;
    };
    expect(await Promise.all([flight.run(task), flight.run(task), flight.run(task, 'other')])).to.deep.equal([1, 1, 2]);
    expect(await flight.run(task)).to.equal(3);
  });

  it('fails for all that asked, and runs again after a failure', async () => {
    const flight = new SingleFlight<void>();
    const failed = await Promise.allSettled([1, 2].map(() => flight.run(() => Promise.reject(new Error('no')))));
    expect(failed.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    await flight.run(() => Promise.resolve());
  });
});
