import { expect } from 'chai';
import type { Settings } from '../../src/config/config.js';
import { anonymouslyReadableListeners } from '../../src/config/anonymous-access.js';
import { configOf, problemsOf } from '../support/config.js';

describe('anonymous access', () => {
  for (const access of ['allow-write', 'allow-delete'] as const) {
    it(`can't include writing by --${access} on addresses that other machines reach, unless that is intended`, () => {
      const settings = { listen: [':1', 'localhost:2', 'unix:/s'], 'grpc-listen': ['0.0.0.0:3'], [access]: true };
      expect(problemsOf(settings)).to.have.length(2);
      expect(problemsOf(settings).join()).to.match(/:1 could write.*--no-auth.*0\.0\.0\.0:3 could write/);
      expect(problemsOf({ ...settings, 'no-auth': true })).to.deep.equal([]);
    });
  }

  it("can't include writing to any store, unless the listener doesn't allow it", () => {
    const stores = { a: { location: '/a', anonymous: 'append' as const }, b: { location: '/b' } };
    expect(problemsOf({ stores, listen: ':1' }).join()).to.match(
      /^listen: anyone who can reach :1 could write to a without/,
    );
    expect(problemsOf({ stores, listen: { address: ':1', 'max-access': 'read-only' } })).to.deep.equal([]);
    expect(problemsOf({ stores, 'admin-listen': ':1' })).to.deep.equal([]);
  });

  it('can include writing if all clients need a certificate', () => {
    const tls = { cert: 'c', key: 'k', 'client-ca': 'ca' };
    const settings = { listen: ':1', 'grpc-listen': 'off', 'allow-write': true, ...tls };
    expect(problemsOf(settings)).to.have.length(1);
    expect(problemsOf({ ...settings, 'client-cert': 'required' })).to.deep.equal([]);
    const plain = { ...settings, 'client-cert': 'required', listen: { address: ':1', tls: false } };
    expect(problemsOf(plain)).to.have.length(1);
  });

  it('tells which listeners let other machines read', () => {
    const open = (settings: Settings): string[] =>
      anonymouslyReadableListeners(configOf(settings)).map(({ name }) => name);
    expect(open({ listen: [':1', 'localhost:2'], 'grpc-listen': '10.0.0.1:3' })).to.deep.equal([':1', '10.0.0.1:3']);
    expect(open({ listen: ':1', htpasswd: 'f' })).to.deep.equal([]);
    expect(open({ listen: { address: ':1', 'max-access': 'none' } })).to.deep.equal([]);
    expect(open({ 'admin-listen': ':1' })).to.deep.equal([]);
  });
});
