import { expect } from 'chai';
import { accessOf, grantsOf, requireListener } from '../../src/access/grants.js';
import type { Config, ListenerConfig, PrincipalConfig, StoreConfig } from '../../src/config/types.js';
import { accessLevels, hasRight, type Access, type Right } from '../../src/core/access.js';
import type { PeerCertificate } from '../../src/core/caller.js';
import { notWatched } from '../support/config.js';

const store = (anonymous: Access): StoreConfig => ({
  location: 'sample',
  anonymous,
  quotaBytes: undefined,
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
const listener = (name: string, maxAccess: Access): ListenerConfig => ({
  name,
  protocol: 'http',
  address: { path: '/run/a.sock' },
  maxAccess,
  tls: false,
  mode: undefined,
  owner: undefined,
});
const principal = (name: string, access: Record<string, Access>): PrincipalConfig => ({
  name,
  tokens: [],
  certificates: [],
  access: new Map(Object.entries(access)),
  listeners: undefined,
  ...notWatched,
});

const config: Pick<Config, 'principals' | 'stores' | 'listeners' | 'tls'> = {
  tls: undefined,
  stores: new Map([
    ['', store('none')],
    ['teams/blue', store('none')],
    ['teams/red', store('read-only')],
    ['*', store('none')],
  ]),
  listeners: [listener('network', 'append'), listener('admin', 'full'), listener('shut', 'none')],
  principals: [
    principal('web-1', { 'teams/blue': 'append' }),
    principal('operator', { '*': 'full' }),
    principal('auditor', { '*': 'read-only', 'teams/blue': 'none', 'teams/red': 'none' }),
  ],
};
const grants = grantsOf(config);

/** What a caller of a listener may do. */
function access(name: string | undefined, storeName: string, by = 'admin'): Access {
  return accessOf(grants, { principal: name, peer: { listener: by, address: '192.0.2.1' } }, storeName);
}

const rights: readonly Right[] = ['read', 'read-packfiles', 'append', 'delete'];

describe('accessOf', () => {
  const rows: [string, string | undefined, string, string, Access][] = [
    ['what is granted for the store', 'web-1', 'teams/blue', 'admin', 'append'],
    ['nothing where nothing is granted', 'web-1', '', 'admin', 'none'],
    ['nothing of a store whose name is a prefix of a granted one’s', 'web-1', 'teams', 'admin', 'none'],
    ['what is granted for all stores', 'operator', 'teams/blue', 'admin', 'full'],
    ['what is granted for all stores, of the default one, too', 'operator', '', 'admin', 'full'],
    ['no more than the listener allows', 'operator', 'teams/blue', 'network', 'append'],
    ['nothing where the listener allows nothing', 'operator', 'teams/blue', 'shut', 'none'],
    ['what is granted for the store, though all others are granted more', 'auditor', 'teams/blue', 'admin', 'none'],
    ['anonymous access, though less is granted', 'auditor', 'teams/red', 'admin', 'read-only'],
    ['anonymous access, to a principal without any grant', 'web-1', 'teams/red', 'admin', 'read-only'],
    ['anonymous access, to a principal that is only in the htpasswd file', 'ann', 'teams/red', 'admin', 'read-only'],
    ['nothing else to a principal that is only in the htpasswd file', 'ann', 'teams/blue', 'admin', 'none'],
    ['anonymous access, to a caller that did not log in', undefined, 'teams/red', 'network', 'read-only'],
    ['nothing else to a caller that did not log in', undefined, 'teams/blue', 'network', 'none'],
    ['nothing of a store that does not exist', 'operator', 'teams/green', 'admin', 'none'],
    ['nothing through a listener that does not exist', 'operator', 'teams/blue', 'gone', 'none'],
  ];
  for (const [what, name, storeName, by, expected] of rows) {
    it(`gives ${what}`, () => {
      expect(access(name, storeName, by)).to.equal(expected);
    });
  }

  for (const granted of accessLevels) {
    for (const anonymous of accessLevels) {
      for (const most of accessLevels) {
        it(`stays within bounds: ${granted} granted, ${anonymous} anonymous, ${most} at most`, () => {
          const all = grantsOf({
            stores: new Map([['s', store(anonymous)]]),
            listeners: [listener('l', most)],
            tls: undefined,
            principals: [principal('p', { s: granted })],
          });
          const peer = { listener: 'l', address: 'unix socket' };
          const [own, theirs] = ['p', undefined].map((name) => accessOf(all, { principal: name, peer }, 's'));
          for (const right of rights) {
            const theirRight = hasRight(anonymous, right) && hasRight(most, right);
            const ownRight = theirRight || (hasRight(granted, right) && hasRight(most, right));
            // Never more than both rules give, and no less, but for what no level is about: reading states without anything else.
            const isExact = [own, theirs].every((level) => level !== 'none') || most === 'none';
            if (!ownRight || isExact) expect(hasRight(own ?? 'none', right), `principal: ${right}`).to.equal(ownRight);
            if (!theirRight || isExact)
              expect(hasRight(theirs ?? 'none', right), `anonymous: ${right}`).to.equal(theirRight);
          }
        });
      }
    }
  }
});

describe('requireListener', () => {
  it('refuses callers without a trusted certificate where one is required, also on older connections', () => {
    const tls = { cert: '/c', key: '/k', clientCa: '/ca', clientCertRequired: true };
    const listeners = [{ ...listener('network', 'append'), tls: true }, listener('admin', 'full')];
    const own = grantsOf({ ...config, listeners, tls });
    const by = (name: string, certificate?: PeerCertificate) => () =>
      requireListener(own, {
        principal: undefined,
        peer: { listener: name, address: '192.0.2.1', ...(certificate && { certificate }) },
      });
    expect(by('network')).to.throw('requires a client certificate').with.property('code', 'permission_denied');
    expect(by('network', { names: ['cn:web-1'], problem: 'expired' })).to.throw('requires a client certificate');
    expect(by('network', { names: ['cn:web-1'] })).to.not.throw();
    expect(by('admin')).to.not.throw();
    const asked = grantsOf({ ...config, listeners, tls: { ...tls, clientCertRequired: false } });
    const peer = { listener: 'network', address: '192.0.2.1' };
    expect(() => requireListener(asked, { principal: undefined, peer })).to.not.throw();
  });

  it('lets a principal use its listeners only, and all other callers every listener', () => {
    const restricted = { ...principal('ops', { '*': 'full' }), listeners: new Set(['admin']) };
    const own = grantsOf({ ...config, principals: [...config.principals, restricted] });
    const by = (name: string, listener: string) => () =>
      requireListener(own, { principal: name, peer: { listener, address: '192.0.2.1' } });
    expect(by('ops', 'admin')).to.not.throw();
    expect(by('ops', 'network')).to.throw('may not use this listener').with.property('code', 'permission_denied');
    expect(by('operator', 'network')).to.not.throw();
    expect(() =>
      requireListener(own, { principal: undefined, peer: { listener: 'network', address: 'x' } }),
    ).to.not.throw();
  });
});
