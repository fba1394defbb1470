import { expect } from 'chai';
import { configOf, problemsOf } from '../../support/config.js';

describe('the certificates of a configuration', () => {
  it('need their keys, and are needed for client certificates', () => {
    const both = { cert: 'c', key: 'k' };
    expect(problemsOf({ cert: 'c' })).to.deep.equal(['cert: a certificate needs its key: set key']);
    expect(problemsOf({ key: 'k' })).to.deep.equal(['key: a key needs its certificate: set cert']);
    expect(problemsOf({ 'client-ca': 'x' }).join()).to.match(/^client-ca: .*set cert and key/);
    expect(problemsOf({ ...both, 'client-cert': 'required' }).join()).to.match(/^client-cert: .*set client-ca/);
    expect(configOf({ ...both, 'client-ca': '~/ca', 'client-cert': 'required' }).tls).to.deep.equal({
      cert: '/srv/c',
      key: '/srv/k',
      clientCa: '/home/op/ca',
      clientCertRequired: true,
    });
  });
});
