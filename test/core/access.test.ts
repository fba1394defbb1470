import { expect } from 'chai';
import { accessLevels, hasRight, higher, lower, type Right } from '../../src/core/access.js';

const rights: readonly Right[] = ['read', 'read-packfiles', 'append', 'delete'];

describe('access levels', () => {
  it('have these rights', () => {
    const table = Object.fromEntries(
      accessLevels.map((level) => [level, rights.filter((each) => hasRight(level, each))]),
    );
    expect(table).to.deep.equal({
      none: [],
      'read-only': ['read', 'read-packfiles'],
      'write-only': ['read', 'append'],
      append: ['read', 'read-packfiles', 'append'],
      full: ['read', 'read-packfiles', 'append', 'delete'],
    });
  });

  it('of two, the higher has what either has, and the lower no more than each', () => {
    for (const a of accessLevels) {
      for (const b of accessLevels) {
        for (const right of rights) {
          const either = hasRight(a, right) || hasRight(b, right);
          const both = hasRight(a, right) && hasRight(b, right);
          expect(hasRight(higher(a, b), right), `${right} of the higher of ${a} and ${b}`).to.equal(either);
          if (hasRight(lower(a, b), right)) expect(both, `${right} of the lower of ${a} and ${b}`).to.equal(true);
        }
        expect(lower(a, b)).to.equal(lower(b, a));
        expect(higher(a, b)).to.equal(higher(b, a));
      }
    }
  });

  it('are in order, but for read-only and write-only, which have no level in common', () => {
    expect(lower('append', 'read-only')).to.equal('read-only');
    expect(lower('append', 'write-only')).to.equal('write-only');
    expect(lower('full', 'append')).to.equal('append');
    expect(lower('read-only', 'write-only')).to.equal('none');
    expect(higher('read-only', 'write-only')).to.equal('append');
  });
});
