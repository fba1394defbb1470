import { expect } from 'chai';
import type { Settings } from '../../../src/config/config.js';
import { configOf, hash, problemsOf } from '../../support/config.js';

/** The access of anonymous callers to the default store. */
function anonymous(settings: Settings, store = ''): string | undefined {
  return configOf(settings).stores.get(store)?.anonymous;
}

describe('the stores of a configuration', () => {
  it('are only the default store if no other is named, with its settings', () => {
    expect(anonymous({ 'allow-write': true })).to.equal('append');
    expect(anonymous({ 'allow-delete': true })).to.equal('full');
    expect(anonymous({ 'allow-write': false })).to.equal('read-only');
    expect(configOf({ sample: true }).stores.get('')?.location).to.equal('sample');
    expect(configOf({ location: 'x', quota: '1KiB' }).stores.get('')).to.deep.include({
      location: { scheme: 'fs', path: '/srv/x' },
      quotaBytes: 1024,
      optional: false,
    });
  });

  it('are those that are named, and the default store only if it is configured as well', () => {
    const stores = { 'teams/blue': { location: '~/blue', quota: '2TiB' } };
    expect([...configOf({ stores }).stores.keys()]).to.deep.equal(['teams/blue']);
    expect([...configOf({ stores, location: '/x' }).stores.keys()]).to.deep.equal(['teams/blue', '']);
    expect(configOf({ stores }).stores.get('teams/blue')).to.deep.equal({
      location: { scheme: 'fs', path: '/home/op/blue' },
      anonymous: 'read-only',
      quotaBytes: 2 * 1024 ** 4,
      optional: false,
    });
  });

  it('are closed to anonymous callers if there is a way to log in, unless anonymous says more', () => {
    const stores = {
      '': { location: '/d' },
      a: { location: '/a' },
      b: { location: '/b', anonymous: 'read-only' as const },
    };
    const principals = { web: { tokens: [hash('1')], access: { a: 'append' as const } } };
    expect(anonymous({ stores, principals }, 'a')).to.equal('none');
    expect(anonymous({ stores, principals }, 'b')).to.equal('read-only');
    expect(anonymous({ stores, htpasswd: 'f' }, 'a')).to.equal('none');
    expect(anonymous({ htpasswd: 'f' })).to.equal('none');
    expect(anonymous({ stores, principals, 'allow-write': true })).to.equal('append');
    expect(anonymous({ stores, principals, 'allow-write': true }, 'a')).to.equal('none');
    expect(anonymous({ stores: { '': { location: '/d', anonymous: 'full' } }, 'allow-write': true })).to.equal('full');
  });

  it('can have the default store configured only once', () => {
    const stores = { '': { location: '/d' } };
    expect(problemsOf({ stores, location: '/x', quota: 1, sample: true })).to.have.length(3);
    expect(problemsOf({ stores: { a: { location: '/a' } }, quota: 1 }).join()).to.include('there is none');
    expect(problemsOf({ stores: { a: { location: '/a' } }, 'allow-write': true }).join()).to.include('there is none');
    expect(problemsOf({ sample: true, location: '/x' })).to.have.length(1);
    expect(problemsOf({ stores: {} })).to.have.length(1);
  });

  it("have names that can't be confused with a path of the API, and valid locations", () => {
    for (const name of ['..', 'a//b', '/a', 'a/', '.a', 'states', 'a/config', 'a b']) {
      expect(problemsOf({ stores: { [name]: { location: '/a' } } }), name).to.have.length(1);
    }
    expect(problemsOf({ stores: { a: { location: 's3://x' } } }).join()).to.match(
      /^stores\.a\.location: it has to be a folder's path/,
    );
  });
});
