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
      quotaIncludesTrash: true,
      retentionMs: 0,
      trashMs: 0,
      asOfMs: undefined,
      optional: false,
      digests: undefined,
      s3: undefined,
      mirror: undefined,
      verification: undefined,
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

  it('say for how long they keep what is in them and in their trash', () => {
    const undo = { retention: '30d', trash: '2w' };
    expect(problemsOf({ location: '/x', ...undo }).join()).to.match(
      /^trash: must be a number of seconds, or a duration/,
    );
    const settings = { retention: '30d', trash: '14d', 'quota-includes-trash': false };
    const kept = { retentionMs: 30 * 86_400_000, trashMs: 14 * 86_400_000, quotaIncludesTrash: false };
    expect(configOf({ location: '/x', ...settings }).stores.get('')).to.deep.include(kept);
    expect(configOf({ stores: { a: { location: '/a', ...settings } } }).stores.get('a')).to.deep.include(kept);
    expect(configOf({ location: '/x', 'quota-includes-trash': false }).stores.get('')?.quotaIncludesTrash).to.equal(
      false,
    );
    expect(problemsOf({ location: '/x', retention: '3651d' }).join()).to.include('from 0ms to 3650d');
    expect(problemsOf({ stores: { a: { location: '/a' } }, retention: '1d', trash: '1d' })).to.have.length(2);
  });

  it('can be served as they were at a moment that is over', () => {
    const asOf = (moment: string): number | undefined =>
      configOf({ location: '/x', 'as-of': moment }).stores.get('')?.asOfMs;
    expect(asOf('2026-11-01')).to.equal(Date.UTC(2026, 10, 1));
    expect(Date.now() - (asOf('3d') ?? 0)).to.be.within(3 * 86_400_000, 3 * 86_400_000 + 120_000);
    const stores = { a: { location: '/a', 'as-of': '2026-11-01T01:00+01:00' } };
    expect(configOf({ stores }).stores.get('a')?.asOfMs).to.equal(Date.UTC(2026, 10, 1));
    expect(problemsOf({ location: '/x', 'as-of': 'yesterday' }).join()).to.include(
      'as-of: must be a time with its zone',
    );
    expect(problemsOf({ location: '/x', 'as-of': '9000-01-01' })).to.deep.equal(['as-of: must not be in the future']);
  });

  it('are kept by the gateway that they are at, which has these settings', () => {
    for (const scheme of ['grpc', 'grpcs']) {
      const location = `${scheme}://hub/blue`;
      const problems = problemsOf({
        stores: { a: { location, retention: '1d', trash: '1d', 'as-of': '1d', digests: 'sha256' } },
        location,
        retention: '1d',
        digests: 'sha256',
      });
      expect(problems).to.have.length(6);
      for (const problem of problems) expect(problem).to.include('at another gateway');
    }
    expect(problemsOf({ location: 'grpc://hub/blue', retention: 0 })).to.deep.equal([]);
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
    expect(problemsOf({ stores: { a: { location: 'http://x' } } }).join()).to.match(
      /^stores\.a\.location: it has to be a folder's path/,
    );
  });
});
