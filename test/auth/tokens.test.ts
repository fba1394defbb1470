import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { createToken, tokenDigest } from '../../src/auth/tokens.js';

describe('createToken', () => {
  it('makes a token of 32 random bytes, and its SHA-256', () => {
    const { token, sha256 } = createToken((size) => Buffer.alloc(size, 0xff));
    expect(token).to.equal(`kgw_${'_'.repeat(42)}8`);
    // printf kgw_… | sha256sum
    expect(sha256)
      .to.equal(tokenDigest(token))
      .and.to.match(/^[0-9a-f]{64}$/);
  });

  it('makes another one each time, of the same form', () => {
    const tokens = Array.from({ length: 20 }, () => createToken(randomBytes).token);
    expect(new Set(tokens).size).to.equal(20);
    for (const token of tokens) expect(token).to.match(/^kgw_[A-Za-z0-9_-]{43}$/);
  });
});

describe('tokenDigest', () => {
  it('is what sha256sum says', () => {
    expect(tokenDigest('abc')).to.equal('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
