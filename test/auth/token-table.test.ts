import { expect } from 'chai';
import { TokenTable } from '../../src/auth/token-table.js';
import { tokenDigest } from '../../src/auth/tokens.js';
import type { PrincipalConfig } from '../../src/config/types.js';
import { notWatched } from '../support/config.js';

const ann: PrincipalConfig = {
  name: 'ann',
  tokens: [
    { sha256: tokenDigest('one'), expiresMs: 5 },
    { sha256: tokenDigest('two'), expiresMs: undefined },
  ],
  certificates: [],
  access: new Map(),
  listeners: undefined,
  ...notWatched,
};

describe('TokenTable', () => {
  it('finds whose a token is, and when it ends', () => {
    const table = new TokenTable([ann]);
    expect(table.find('one')).to.deep.include({ principal: ann, expiresMs: 5 });
    expect(table.find('two')).to.deep.include({ principal: ann, expiresMs: Infinity });
    expect(table.find('three')).to.equal(undefined);
    expect(table.find('')).to.equal(undefined);
  });

  it('compares once for each secret, known or not', () => {
    let compared = 0;
    const table = new TokenTable([ann], (a, b) => {
      compared++;
      expect(a).to.have.length(32);
      expect(b).to.have.length(32);
      return Buffer.compare(a, b) === 0;
    });
    for (const secret of ['one', 'two', 'three', '']) {
      compared = 0;
      table.find(secret);
      expect(compared).to.equal(1);
    }
  });

  it('believes the comparison, not the lookup', () => {
    expect(new TokenTable([ann], () => false).find('one')).to.equal(undefined);
    expect(new TokenTable([ann], () => true).find('three')).to.equal(undefined);
  });
});
