import { expect } from 'chai';
import { unusual } from '../../src/watch/habits.js';

const MiB = 1024 ** 2;

describe('unusual', () => {
  const usual = [80, 100, 120, 90, 110].map((each) => each * MiB);

  it('finds much more than ten times the median, and twice the largest', () => {
    expect(unusual(1500 * MiB, usual)).to.equal('much');
    expect(unusual(900 * MiB, usual)).to.equal(undefined);
    // The whole has been uploaded once before.
    expect(unusual(1500 * MiB, [...usual, 1000 * MiB])).to.equal(undefined);
  });

  it('finds next to nothing where that never happened', () => {
    expect(unusual(1 * MiB, usual)).to.equal('little');
    expect(unusual(20 * MiB, usual)).to.equal(undefined);
    // Nothing changes on Sundays.
    expect(unusual(1 * MiB, [...usual, 1 * MiB])).to.equal(undefined);
  });

  it('finds nothing in fewer than five backups, nor in differences of less than 1 MiB', () => {
    expect(unusual(1500 * MiB, usual.slice(0, 4))).to.equal(undefined);
    expect(unusual(900_000, [1, 2, 3, 4, 5])).to.equal(undefined);
    expect(unusual(0, [1000, 2000, 3000, 4000, 5000])).to.equal(undefined);
  });
});
