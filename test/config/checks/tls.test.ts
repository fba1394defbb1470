import { expect } from 'chai';
import { configOf, problemsOf } from '../../support/config.js';

describe('the certificates of a configuration', () => {
  it('come with their keys, and what needs them with them', () => {
    const both = { cert: 'c', key: 'k' };
    expect(problemsOf({ cert: 'c' })).to.deep.equal(['cert: there is no key for this certificate: give the key, too']);
    expect(problemsOf({ key: 'k' })).to.deep.equal(['key: there is no certificate for this key: give the cert, too']);
    expect(problemsOf({ 'client-ca': 'x' }).join()).to.match(/^client-ca: .*give a cert/);
    expect(problemsOf({ ...both, 'client-cert': 'required' }).join()).to.match(/^client-cert: .*give a client-ca/);
    expect(configOf({ ...both, 'client-ca': '~/ca', 'client-cert': 'required' }).tls).to.deep.equal({
      cert: '/srv/c',
      key: '/srv/k',
      clientCa: '/home/op/ca',
      clientCertRequired: true,
    });
  });
});
